import { loadAssistant } from '../../assistants/registry.ts';
import type { Config } from '../../config.ts';
import { explainFailure } from '../../failure.ts';
import { ok, problem, type Finding } from './finding.ts';

/** Whether the assistant that ASSISTANT names can be loaded; it is asked nothing. */
export async function checkAssistant(config: Config): Promise<Finding> {
  const check = 'assistant';
  try {
    const assistant = await loadAssistant(config.ASSISTANT, {
      cwd: process.cwd(),
      environment: config.ENVIRONMENT,
      knowledgeDir: config.KNOWLEDGE_DIR,
    });
    await assistant?.close?.();
    return ok(check, assistant ? `${assistant.name} can be loaded` : `${config.ASSISTANT}: none in this process`);
  } catch (error) {
    const message = explainFailure(error, config.DATA_DIR) ?? String(error);
    return problem(check, message, 'see docs/assistants.md');
  }
}
