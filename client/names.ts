/** The catalogue at launch; a model's id in the contracts is `modelId(name)`. The local chain adds `demo-3m`. */
export const LAUNCH_MODELS = ["gpt-2-q4", "llama-2-7b-q4", "llama-2-13b-q4", "llama-2-70b-q4"] as const;

/** `RequestStatus` of the contracts, by its number. */
export const REQUEST_STATUS = ["None", "Queued", "Assigned", "Completed", "Failed", "Cancelled"] as const;

/** `FailureClass` of the contracts, by its number. */
export const FAILURE_CLASS = ["None", "Offline", "Timeout", "Error", "Invalid", "BadPrompt", "NoNode"] as const;
