/** An assistant that cannot be used, in one sentence for whoever set `ASSISTANT`; the reason is in `cause`. */
export class AssistantLoadError extends Error {
  constructor(message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'AssistantLoadError';
  }
}
