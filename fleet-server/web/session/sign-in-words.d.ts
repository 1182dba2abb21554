export declare function signInWords(error: unknown): string;
