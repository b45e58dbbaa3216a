import { setTimeout as delay } from 'node:timers/promises';
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
  /** Sends what is left, where that can be done at once. */
  close(): Promise<void>;
}

/** A collector that does not answer holds up the end of the process no longer than this. */
const CLOSE_MS = 2_000;
/** What the SDK says of a failure can hold a whole stack. */
const DIAGNOSTIC_CHARACTERS = 300;

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
  const shutDown = startSdk(variables, node);
  return {
    async close() {
      const late = delay(CLOSE_MS, undefined, { ref: false }).then(() =>
        Promise.reject(new Error('no answer in time')),
      );
      await Promise.race([shutDown(), late]).catch((error: unknown) => {
        log.warn({ err: error }, 'traces: the last ones could not be sent');
      });
    },
  };
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
  const warn = (message: string) => log.warn(`traces: ${message.slice(0, DIAGNOSTIC_CHARACTERS)}`);
  return {
    error: warn,
    warn,
    info: quiet,
    debug: quiet,
    verbose: quiet,
  };
}
