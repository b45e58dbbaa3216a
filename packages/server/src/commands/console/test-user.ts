/** The account of the documentation's examples and the test page; never in production. */
export const TEST_USER = {
  username: 'testuser',
  password: 'testpass123',
  email: 'test@example.com',
  full_name: 'Test User',
};
