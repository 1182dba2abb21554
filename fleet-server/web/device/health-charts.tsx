/** Frames and bitrate of the last hour. */
import { Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import type { HealthSample } from '#protocol/model/device.ts';
import { healthQuery, healthRangeMs } from '../api/queries.ts';
import { bitrateWords, framesWords, temperatureWords, unknown } from '../figures/format.ts';
import { levelWords } from '../figures/levels.ts';
import { useNow } from '../time/now.ts';
import classes from './health-charts.module.css';
import { meanOf, type Point, sparkline } from './sparkline.ts';

const box = { width: 300, height: 44 } as const;
/** The chart moves on in these steps, not each second. */
const stepMs = 30_000;

type ChartProps = {
  readonly title: string;
  readonly samples: readonly HealthSample[];
  readonly figureOf: (sample: HealthSample) => number | null;
  readonly words: (value: number | null) => string;
  readonly range: { readonly fromMs: number; readonly toMs: number };
};

function Chart({ title, samples, figureOf, words, range }: ChartProps) {
  const points: Point[] = samples.map((sample) => ({ atMs: Date.parse(sample.at), value: figureOf(sample) }));
  const mean = meanOf(points);
  return (
    <figure className={classes['chart']}>
      <figcaption>
        <span>{title}</span>
        <span className="figure dim">{mean === null ? 'nothing in the last hour' : `mean ${words(mean)}`}</span>
      </figcaption>
      <svg viewBox={`0 0 ${box.width} ${box.height}`} preserveAspectRatio="none" role="img" aria-label={`${title} in the last hour`}>
        <path d={sparkline(points, range, box)} className={classes['line']} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

const soundWords = (dbfs: number | null) => (dbfs === null ? unknown : levelWords(dbfs));

export function HealthCharts({ id }: { readonly id: string }) {
  const health = useQuery(healthQuery(id));
  const toMs = Math.ceil(useNow() / stepMs) * stepMs;
  const range = { fromMs: toMs - healthRangeMs, toMs };
  if (health.data === undefined) return health.isError ? null : <Skeleton h={104} radius="lg" />;
  const { samples } = health.data;
  const hasTemperature = samples.some(({ temperatureC }) => temperatureC !== null);
  const hasSound = samples.some(({ audioRmsDbfs }) => audioRmsDbfs !== null);
  return (
    <section className={`panel ${classes['charts']}`} aria-label="The last hour">
      <Chart title="Frames" samples={samples} figureOf={(sample) => sample.framesPerSecond} words={framesWords} range={range} />
      <Chart title="Video bitrate" samples={samples} figureOf={(sample) => sample.videoBitrateKbps} words={bitrateWords} range={range} />
      {hasSound && (
        <Chart title="Sound level" samples={samples} figureOf={(sample) => sample.audioRmsDbfs} words={soundWords} range={range} />
      )}
      {hasTemperature && (
        <Chart title="Temperature" samples={samples} figureOf={(sample) => sample.temperatureC} words={temperatureWords} range={range} />
      )}
    </section>
  );
}
