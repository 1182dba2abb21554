/** The numbers that devices are compared by. What a device that is not connected once said is not shown as if it were now. */
import type { DeviceSummary } from '#protocol/model/device.ts';
import { bitrateWords, bytesWords, framesWords, loadWords, sizeWords, temperatureWords } from '../figures/format.ts';

export type ShownFigures = {
  readonly frames: string;
  readonly size: string;
  readonly relayBitrate: string;
  readonly encoderBitrate: string;
  readonly temperature: string;
  readonly load: string;
  readonly memoryFree: string;
};

export function shownFigures(device: Pick<DeviceSummary, 'presence' | 'figures' | 'relay' | 'board'>): ShownFigures {
  const isHeard = device.presence.state === 'online';
  const figures = isHeard ? device.figures : null;
  const board = isHeard ? device.board : null;
  const { relay } = device;
  return {
    frames: framesWords(figures?.framesPerSecond ?? relay?.framesPerSecond),
    size: sizeWords(relay?.width ?? figures?.width, relay?.height ?? figures?.height),
    relayBitrate: bitrateWords(relay?.bitrateKbps),
    encoderBitrate: bitrateWords(figures?.videoBitrateKbps),
    temperature: temperatureWords(board?.temperatureC),
    load: loadWords(board?.loadAverage1m),
    memoryFree: bytesWords(board?.memoryAvailableBytes),
  };
}
