import {
  context,
  diag,
  DiagLogLevel,
  ROOT_CONTEXT,
  SpanStatusCode,
  trace,
  type Attributes,
  type Context,
  type Span,
} from '@opentelemetry/api';
import { ChatError } from '@tertulia/protocol';
import type { Logger } from './log.ts';

type Variables = Readonly<Record<string, string | undefined>>;

/** Traces on their way out. */
export interface Tracing {
  /** Sends what is left. */
  close(): Promise<void>;
}

const tracer = trace.getTracer('tertulia');

/**
 * Does a piece of work within a span, a child of the work that it is a part of, or of `parent`. Attributes are ids,
 * lengths and results, never a text. Costs next to nothing where no traces are sent.
 */
export function traced<T>(
  name: string,
  attributes: Attributes,
  work: (span: Span) => Promise<T>,
  parent: Work = context.active(),
): Promise<T> {
  return tracer.startActiveSpan(name, { attributes }, parent, async (span) => {
    try {
      return await work(span);
    } catch (error) {
      const code = error instanceof ChatError ? error.code : 'internal_error';
      span.setStatus({ code: SpanStatusCode.ERROR, message: code });
      throw error;
    } finally {
      span.end();
    }
  });
}

/** A piece of work under way, as those that follow from it name it. */
export type Work = Context;

/** The work that is being done, for something that follows from it later. */
export function currentWork(): Work {
  return context.active();
}

/** Starts work that is no part of what happens to cause it. */
export function detached<T>(work: () => T): T {
  return context.with(ROOT_CONTEXT, work);
}

/** Sends traces where OpenTelemetry's own variables say so; its SDK is loaded only then. */
export async function startTracing(variables: Variables, node: string, log: Logger): Promise<Tracing | null> {
  if (!isWanted(variables, log)) return null;
  const { startSdk } = await import('./tracing-sdk.ts');
  diag.setLogger(diagnosticsTo(log), { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true });
  return startSdk(variables, node);
}

function isWanted(variables: Variables, log: Logger): boolean {
  if (variables['OTEL_SDK_DISABLED']?.toLowerCase() === 'true') return false;
  const exporters = variables['OTEL_TRACES_EXPORTER'];
  if (!exporters) {
    return Boolean(variables['OTEL_EXPORTER_OTLP_ENDPOINT'] || variables['OTEL_EXPORTER_OTLP_TRACES_ENDPOINT']);
  }
  const names = exporters.split(',').map((name) => name.trim());
  const others = names.filter((name) => name !== 'otlp' && name !== 'none');
  if (others.length > 0) log.warn(`OTEL_TRACES_EXPORTER=${others.join(',')} is not sent here: only otlp and none are`);
  return names.includes('otlp');
}

function diagnosticsTo(log: Logger) {
  const quiet = () => undefined;
  return {
    error: (message: string) => log.warn(`traces: ${message}`),
    warn: (message: string) => log.warn(`traces: ${message}`),
    info: quiet,
    debug: quiet,
    verbose: quiet,
  };
}
