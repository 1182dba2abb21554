/** Before the tests that run on PostgreSQL: one cluster for all of them. */
import type { TestProject } from 'vitest/node';
import { createCluster } from './postgresql-cluster.ts';

declare module 'vitest' {
  export interface ProvidedContext {
    /** Address of the cluster's database, without a schema. */
    postgresql: string;
  }
}

export async function setup(project: TestProject): Promise<() => Promise<void>> {
  const cluster = await createCluster();
  project.provide('postgresql', await cluster.url('public'));
  return () => cluster.remove();
}
