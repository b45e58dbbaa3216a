/** What a piece of a live answer costs: a part for the room, whoever is in it, and a part for each member. */
export interface RoomCosts {
  /** CPU in microseconds for one piece in one room. */
  readonly piece: number;
  /** CPU in microseconds for one member who gets it. */
  readonly member: number;
}

/** Rooms of one size: CPU in microseconds for each delivery of a piece to a member. */
export interface MeasuredRoom {
  readonly members: number;
  readonly cpuMicroseconds: number;
}

/** Both costs from rooms of two sizes. */
export function fitRooms(small: MeasuredRoom, large: MeasuredRoom): RoomCosts {
  const piece = (small.cpuMicroseconds - large.cpuMicroseconds) / (1 / small.members - 1 / large.members);
  return { piece, member: large.cpuMicroseconds - piece / large.members };
}

/** CPU in microseconds for each delivery in rooms of `members`. */
export function deliveryCost({ piece, member }: RoomCosts, members: number): number {
  return piece / members + member;
}
