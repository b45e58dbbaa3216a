import type { Server as HttpServer } from 'node:http';

/** Takes away the listeners of a server's event; answers what does what they did, for whoever stands before them now. */
export function takeOver<L extends (...values: never[]) => void>(httpServer: HttpServer, event: string): L {
  const listeners = httpServer.listeners(event) as L[];
  httpServer.removeAllListeners(event);
  return ((...values: Parameters<L>) => {
    for (const listener of listeners) listener.apply(httpServer, values);
  }) as L;
}
