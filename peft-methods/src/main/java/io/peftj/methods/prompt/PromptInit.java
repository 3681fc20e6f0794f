package io.peftj.methods.prompt;

import io.peftj.core.InvalidConfigException;

/** How a prompt's vectors start. */
public sealed interface PromptInit {
    /** From the standard normal distribution, which lies far outside of what embeddings usually are. */
    record Normal() implements PromptInit {}

    /** As the embeddings of tokens drawn from the vocabulary. */
    record SampledVocabulary() implements PromptInit {}

    /**
     * As the embeddings of a text's tokens, repeated or cut to the prompt's length.
     *
     * @param text a few words about the task
     * @param tokenizer what files call the tokenizer, for which PEFT asks; the model's own one is used, whatever it is called
     */
    record Text(String text, String tokenizer) implements PromptInit {
        /** What the file is called from which the model's own tokenizer is read. */
        static final String OWN_TOKENIZER = "tokenizer.json";

        /** Refuses an empty text or name. */
        public Text {
            if (text.isBlank()) {
                throw new InvalidConfigException("prompt_tuning_init_text: expected a few words about the task, found"
                        + " none; give some, or start otherwise than from a text");
            }
            if (tokenizer.isBlank()) {
                throw new InvalidConfigException("tokenizer_name_or_path: expected a name for a prompt that starts"
                        + " from a text, found none; give the base model's");
            }
        }
    }

    /** From the standard normal distribution. */
    static PromptInit normal() {
        return new Normal();
    }

    /** As the embeddings of tokens drawn from the vocabulary. */
    static PromptInit sampledVocabulary() {
        return new SampledVocabulary();
    }

    /** As the embeddings of a text's tokens. */
    static PromptInit fromText(String text) {
        return new Text(text, Text.OWN_TOKENIZER);
    }
}
