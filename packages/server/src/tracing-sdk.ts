import { context, trace } from '@opentelemetry/api';
import { AsyncLocalStorageContextManager } from '@opentelemetry/context-async-hooks';
import { OTLPTraceExporter } from '@opentelemetry/exporter-trace-otlp-http';
import { defaultResource, detectResources, envDetector, resourceFromAttributes } from '@opentelemetry/resources';
import {
  AlwaysOffSampler,
  AlwaysOnSampler,
  BatchSpanProcessor,
  ParentBasedSampler,
  TraceIdRatioBasedSampler,
  TracerProvider,
  type Sampler,
} from '@opentelemetry/sdk-trace';

type Variables = Readonly<Record<string, string | undefined>>;

/**
 * Puts OpenTelemetry's SDK to work: the exporter and the resource read their variables themselves, the sampler does
 * not. Answers what sends the rest and ends it.
 */
export function startSdk(variables: Variables, node: string): () => Promise<void> {
  const provider = new TracerProvider({
    resource: defaultResource()
      .merge(resourceFromAttributes({ 'service.name': 'tertulia', 'service.instance.id': node }))
      .merge(detectResources({ detectors: [envDetector] })),
    sampler: samplerOf(variables),
    spanProcessors: [new BatchSpanProcessor({ exporter: new OTLPTraceExporter() })],
  });
  context.setGlobalContextManager(new AsyncLocalStorageContextManager().enable());
  trace.setGlobalTracerProvider(provider);
  return () => provider.shutdown();
}

function samplerOf({ OTEL_TRACES_SAMPLER: name = 'parentbased_always_on', OTEL_TRACES_SAMPLER_ARG: ratio }: Variables) {
  const base = name.replace('parentbased_', '');
  const samplers: Readonly<Record<string, () => Sampler>> = {
    always_off: () => new AlwaysOffSampler(),
    traceidratio: () => new TraceIdRatioBasedSampler(ratio ? Number(ratio) : 1),
  };
  const root = samplers[base]?.() ?? new AlwaysOnSampler();
  return name === base ? root : new ParentBasedSampler({ root });
}
