/** All scenarios, in the order in which they are played. */
import type { Scenario } from './scenario.ts';
import { badNetwork } from './scenarios/bad-network.ts';
import { cameraUnplugged } from './scenarios/camera-unplugged.ts';
import { detection } from './scenarios/detection.ts';
import { encoderControl } from './scenarios/encoder-control.ts';
import { microphoneUnplugged } from './scenarios/microphone-unplugged.ts';
import { service } from './scenarios/service.ts';
import { streaming } from './scenarios/streaming.ts';
import { webcams } from './scenarios/webcams.ts';
import { wireless } from './scenarios/wireless.ts';

export const scenarios: readonly Scenario[] = [
  detection,
  webcams,
  wireless,
  streaming,
  cameraUnplugged,
  microphoneUnplugged,
  badNetwork,
  service,
  // Leaves its camera built in.
  encoderControl,
];
