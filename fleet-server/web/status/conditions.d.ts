/** Which conditions are shown, and in which order. Pure. */
import { type Condition, type ConditionDefinition } from '#protocol/conditions.ts';
export type ShownCondition = Condition & Pick<ConditionDefinition, 'title' | 'severity' | 'advice'>;
/** Worst first, oldest first among equals; without those whose cause is shown already. */
export declare function shownConditions(conditions: readonly Condition[]): readonly ShownCondition[];
/** "pipeline-restarted" -> "Pipeline restarted": for names that this side does not know. */
export declare function inWords(name: string): string;
