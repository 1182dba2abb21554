/** Prometheus text, version 0.0.4: https://prometheus.io/docs/instrumenting/exposition_formats/ . Pure. */
import type { HistogramFigures } from '#fleet-server/metrics/histogram.ts';

export type Metric = {
  readonly name: string;
  readonly help: string;
  readonly type: 'gauge' | 'counter' | 'histogram';
  readonly samples: readonly { readonly suffix?: string; readonly labels?: Readonly<Record<string, string>>; readonly value: number }[];
};

export function prometheusText(metrics: readonly Metric[]): string {
  const lines = metrics.flatMap(({ name, help, type, samples }) => [
    `# HELP ${name} ${help}`,
    `# TYPE ${name} ${type}`,
    ...samples.map(({ suffix = '', labels, value }) => `${name}${suffix}${labelText(labels)} ${value}`),
  ]);
  return `${lines.join('\n')}\n`;
}

export function histogram(name: string, help: string, { buckets, count, sumS }: HistogramFigures): Metric {
  const upTo = [...buckets.map(({ leS, count: below }) => ({ le: String(leS), value: below })), { le: '+Inf', value: count }];
  return {
    name,
    help,
    type: 'histogram',
    samples: [
      ...upTo.map(({ le, value }) => ({ suffix: '_bucket', labels: { le }, value })),
      { suffix: '_sum', value: sumS },
      { suffix: '_count', value: count },
    ],
  };
}

function labelText(labels: Readonly<Record<string, string>> | undefined): string {
  if (labels === undefined) return '';
  const pairs = Object.entries(labels).map(
    ([name, value]) => `${name}="${value.replaceAll('\\', '\\\\').replaceAll('"', '\\"').replaceAll('\n', '\\n')}"`,
  );
  return `{${pairs.join(',')}}`;
}

/** One sample for each value that is possible, so that a series never vanishes when its count is zero. */
export function countBy<T extends string>(values: Iterable<T>, possible: readonly T[], label: string): Metric['samples'] {
  const counts = new Map<T, number>(possible.map((value) => [value, 0]));
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => ({ labels: { [label]: value }, value: count }));
}
