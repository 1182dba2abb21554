/** Frames, bitrate, sound and temperature over the last hour, day, month or year. */
import { SegmentedControl, Skeleton } from '@mantine/core';
import { useQuery } from '@tanstack/react-query';
import { useState } from 'react';
import type { HealthSample } from '#protocol/model/device.ts';
import { healthQuery } from '../api/queries.ts';
import { bitrateWords, framesWords, temperatureWords, unknown } from '../figures/format.ts';
import { levelWords } from '../figures/levels.ts';
import { ProblemAlert } from '../layout/problem-alert.tsx';
import { useNow } from '../time/now.ts';
import classes from './health-charts.module.css';
import { type HealthRange, type HealthRangeName, healthRange, healthRanges, moveMs, withGaps } from './health-ranges.ts';
import { meanOf, type Point, sparkline } from './sparkline.ts';

const box = { width: 300, height: 44 } as const;

type ChartProps = {
  readonly title: string;
  readonly samples: readonly (HealthSample | null)[];
  readonly figureOf: (sample: HealthSample) => number | null;
  readonly words: (value: number | null) => string;
  readonly range: { readonly fromMs: number; readonly toMs: number; readonly words: string };
};

function Chart({ title, samples, figureOf, words, range }: ChartProps) {
  const points: Point[] = samples.map((sample) =>
    sample === null ? { atMs: range.fromMs, value: null } : { atMs: Date.parse(sample.at), value: figureOf(sample) },
  );
  const mean = meanOf(points);
  return (
    <figure className={classes['chart']}>
      <figcaption>
        <span>{title}</span>
        <span className="figure dim">{mean === null ? `nothing in ${range.words}` : `mean ${words(mean)}`}</span>
      </figcaption>
      <svg viewBox={`0 0 ${box.width} ${box.height}`} preserveAspectRatio="none" role="img" aria-label={`${title} in ${range.words}`}>
        <path d={sparkline(points, range, box)} className={classes['line']} vectorEffect="non-scaling-stroke" />
      </svg>
    </figure>
  );
}

const soundWords = (dbfs: number | null) => (dbfs === null ? unknown : levelWords(dbfs));

type ChartsProps = { readonly id: string; readonly range: HealthRange };

function Charts({ id, range: asked }: ChartsProps) {
  const health = useQuery(healthQuery(id, asked));
  const toMs = Math.ceil(useNow() / moveMs(asked)) * moveMs(asked);
  const range = { fromMs: toMs - asked.rangeMs, toMs, words: asked.words };
  if (health.data === undefined) {
    if (health.isPending) return <Skeleton h={70} />;
    return <ProblemAlert title="The charts cannot be read" error={health.error} onRetry={() => void health.refetch()} />;
  }
  const samples = withGaps(health.data.samples, health.data.stepS);
  const hasTemperature = samples.some((sample) => sample !== null && sample.temperatureC !== null);
  const hasSound = samples.some((sample) => sample !== null && sample.audioRmsDbfs !== null);
  return (
    <div className={classes['charts']} data-testid="charts" data-range={asked.name}>
      <Chart title="Frames" samples={samples} figureOf={(sample) => sample.framesPerSecond} words={framesWords} range={range} />
      <Chart title="Video bitrate" samples={samples} figureOf={(sample) => sample.videoBitrateKbps} words={bitrateWords} range={range} />
      {hasSound && (
        <Chart title="Sound level" samples={samples} figureOf={(sample) => sample.audioRmsDbfs} words={soundWords} range={range} />
      )}
      {hasTemperature && (
        <Chart title="Temperature" samples={samples} figureOf={(sample) => sample.temperatureC} words={temperatureWords} range={range} />
      )}
    </div>
  );
}

export function HealthCharts({ id }: { readonly id: string }) {
  const [name, setName] = useState<HealthRangeName>('hour');
  const range = healthRange(name);
  return (
    <section className="panel" aria-label={`Figures of ${range.words}`}>
      <div className={classes['range']}>
        <SegmentedControl<HealthRangeName>
          aria-label="Over which time"
          size="xs"
          value={name}
          onChange={setName}
          data={healthRanges.map(({ name: value, title }) => ({ value, label: title }))}
        />
      </div>
      <Charts id={id} range={range} />
    </section>
  );
}
