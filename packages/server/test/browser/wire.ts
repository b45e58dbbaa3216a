import type { Page, WebSocketRoute } from 'playwright-core';

/** The line between the page and the server, where a test may change, drop and add what the server says. */
export class Wire {
  /** Gets each packet of the server's; what it calls `toPage` with is what arrives. */
  relay = (packet: string): void => this.toPage(packet);
  #route: WebSocketRoute | null = null;

  /** Puts this into the page's WebSockets, before it is loaded. */
  attach(page: Page): Promise<void> {
    return page.routeWebSocket(/socket\.io/, (route) => {
      this.#route = route;
      route.connectToServer().onMessage((packet) => this.relay(String(packet)));
    });
  }

  toPage(packet: string): void {
    this.#route?.send(packet);
  }

  /** Sends an event as if the server had. */
  emit(name: string, payload: object): void {
    this.toPage(`42${JSON.stringify([name, payload])}`);
  }

  /** Breaks the connection. */
  async cut(): Promise<void> {
    await this.#route?.close({ code: 1001 });
  }
}
