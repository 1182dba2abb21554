/** Which conditions are shown, and in which order. Pure. */
import { type Condition, type ConditionDefinition, conditionDefinitions, isConditionCode, isExplained } from '#protocol/conditions.ts';

export type ShownCondition = Condition & Pick<ConditionDefinition, 'title' | 'severity' | 'advice'>;

const severityRank = { critical: 0, warning: 1, info: 2 } as const satisfies Record<ConditionDefinition['severity'], number>;

function definitionOf(code: string): ConditionDefinition | null {
  return isConditionCode(code) ? conditionDefinitions[code] : null;
}

/** Worst first, oldest first among equals; without those whose cause is shown already. */
export function shownConditions(conditions: readonly Condition[]): readonly ShownCondition[] {
  return conditions
    .filter(({ code }) => !isExplained(code, conditions))
    .map((condition) => {
      const definition = definitionOf(condition.code);
      return {
        ...condition,
        title: definition?.title ?? inWords(condition.code),
        severity: definition?.severity ?? 'warning',
        advice: definition?.advice ?? 'This dashboard does not know this condition: the device’s agent is newer.',
      };
    })
    .sort((a, b) => severityRank[a.severity] - severityRank[b.severity] || a.since.localeCompare(b.since));
}

/** "pipeline-restarted" -> "Pipeline restarted": for names that this side does not know. */
export function inWords(name: string): string {
  const words = name.replaceAll('-', ' ');
  return words.charAt(0).toUpperCase() + words.slice(1);
}
