/** The figures of which a history is kept, and of which the extremes say something that the mean does not. Pure. */
export const healthFigures = [
  'framesPerSecond',
  'videoBitrateKbps',
  'temperatureC',
  'loadAverage1m',
  'memoryAvailableBytes',
  'audioRmsDbfs',
  'audioVideoDriftMs',
] as const;
export type HealthFigure = (typeof healthFigures)[number];

/** A load is bad when it is high, memory when it is low: the other end of them is not kept. */
export const figuresWithMin = [
  'framesPerSecond',
  'videoBitrateKbps',
  'temperatureC',
  'memoryAvailableBytes',
  'audioRmsDbfs',
  'audioVideoDriftMs',
] as const satisfies readonly HealthFigure[];
export const figuresWithMax = [
  'framesPerSecond',
  'videoBitrateKbps',
  'temperatureC',
  'loadAverage1m',
  'audioRmsDbfs',
  'audioVideoDriftMs',
] as const satisfies readonly HealthFigure[];

/** A sum and a count for each figure, so that roll-ups of roll-ups have the mean of the raw data. */
export type RollUpColumns = Record<
  `${HealthFigure}Sum` | `${(typeof figuresWithMin)[number]}Min` | `${(typeof figuresWithMax)[number]}Max`,
  number | null
> &
  Record<`${HealthFigure}Count`, number>;
