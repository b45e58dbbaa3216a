/** A database whose name the URL leaves out. */
const DEFAULT_DATABASE = 'tertulia';

/** The form of `MONGODB_URL`, for messages. */
export const MONGODB_URL_FORM = 'mongodb://HOST:PORT/DATABASE or mongodb+srv://HOST/DATABASE, with ?options';

/** Nothing after the credentials holds an `@`: with a bare slash in it, a password would be taken for the host, and printed. */
const PARTS = /^(mongodb(?:\+srv)?):\/\/(?:[^@/]*@)?([^@/?]+)(?:\/([^@/?]*))?(?:\?[^@]*)?$/;

/** Whether it has the form of a MongoDB URL. No `URL`: that knows no lists of hosts. */
export function isMongodbUrl(text: string): boolean {
  return PARTS.test(text);
}

/** The database that the URL names. */
export function databaseName(url: string): string {
  const name = PARTS.exec(url)?.[3] ?? '';
  return name === '' ? DEFAULT_DATABASE : decodeURIComponent(name);
}

/** The URL without the user, the password and the options: fit to be shown. */
export function shownUrl(url: string): string {
  const [, scheme = 'mongodb', hosts = ''] = PARTS.exec(url) ?? [];
  return `${scheme}://${hosts}/${databaseName(url)}`;
}
