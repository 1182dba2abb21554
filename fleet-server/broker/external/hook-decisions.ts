/**
 * What an external broker's questions about a client are answered with: pure. Whatever is not allowed here is refused.
 *
 * Who it is was settled at the connection; at each later question the broker says it again, and a device is whose client id and user
 * name are one.
 */
import { findConnectRefusal } from '#fleet-server/broker/connect-rules.ts';
import { isServerTopicAllowed, isTopicAllowed } from '#protocol/topics.ts';

export type HookQuestion =
  | {
      readonly kind: 'connect';
      readonly clientId: string;
      readonly username: string;
      readonly password: string;
      /** Where the broker tells it: VerneMQ and EMQX ask about a will when it is sent. */
      readonly will?: { readonly topic: string; readonly payloadBytes: number; readonly qos: number };
    }
  | {
      readonly kind: 'publish';
      readonly clientId: string;
      readonly username: string;
      readonly topic: string;
      readonly qos: number;
      readonly isRetained: boolean;
    }
  | { readonly kind: 'subscribe'; readonly clientId: string; readonly username: string; readonly topics: readonly string[] };

export type HookKnowledge = {
  /** The user name of the fleet servers themselves. */
  readonly serverUsername: string;
  isServerPassword(password: string): boolean;
  isKnown(deviceId: string): boolean;
  isCredentialRight(deviceId: string, credential: string): boolean;
};

export type HookVerdict = { readonly kind: 'allowed' } | { readonly kind: 'refused'; readonly reason: string };

const allowed: HookVerdict = { kind: 'allowed' };
const refuse = (reason: string): HookVerdict => ({ kind: 'refused', reason });

export function answerHook(question: HookQuestion, knowledge: HookKnowledge): HookVerdict {
  const isServer = question.username === knowledge.serverUsername;
  switch (question.kind) {
    case 'connect': {
      if (isServer)
        return knowledge.isServerPassword(question.password) ? allowed : refuse('a wrong password for the fleet servers’ user name');
      const refusal = findConnectRefusal({ clientId: question.clientId, username: question.username, will: question.will });
      if (refusal !== undefined) return refuse(refusal.message);
      return knowledge.isCredentialRight(question.clientId, question.password) ? allowed : refuse('a wrong credential');
    }
    case 'publish': {
      if (question.qos > 1 || question.isRetained) return refuse('expected QoS 0 or 1 and nothing retained');
      const isAllowed = isServer
        ? isServerTopicAllowed('publish', question.topic)
        : isDevice(question, knowledge) && isTopicAllowed(question.clientId, 'publish', question.topic);
      return isAllowed ? allowed : refuse('a topic that is not its own');
    }
    case 'subscribe': {
      const isAllowed = (topic: string) =>
        isServer ? isServerTopicAllowed('subscribe', topic) : isTopicAllowed(question.clientId, 'subscribe', topic);
      const isOne = isServer || isDevice(question, knowledge);
      return isOne && question.topics.length > 0 && question.topics.every(isAllowed) ? allowed : refuse('a topic that is not its own');
    }
    default:
      return question satisfies never;
  }
}

function isDevice({ clientId, username }: { readonly clientId: string; readonly username: string }, knowledge: HookKnowledge): boolean {
  return clientId === username && knowledge.isKnown(clientId);
}
