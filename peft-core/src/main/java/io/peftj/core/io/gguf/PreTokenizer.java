package io.peftj.core.io.gguf;

import com.google.gson.JsonArray;
import com.google.gson.JsonElement;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import io.peftj.core.io.ConfigReader;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** How a byte-level vocabulary wants texts cut before pairs are made, by llama.cpp's names for it. */
enum PreTokenizer {
    /** GPT-2's own way. */
    GPT_2(List.of("gpt-2"), null, false, false),
    /** GPT-2's with each digit alone. */
    SMOLLM(List.of("smollm"), null, false, false),
    /** Llama 3's: numbers by three digits. */
    LLAMA_3(List.of("llama-bpe", "llama3", "llama-v3"), "\\p{N}{1,3}", true, true),
    /** Qwen2's and Qwen3's: each digit alone, texts in composed form. */
    QWEN_2(List.of("qwen2", "deepseek-r1-qwen"), "\\p{N}", false, false);

    private static final String KEY = "tokenizer.ggml.pre";

    @SuppressWarnings("ImmutableEnumChecker") // made by List.of
    private final List<String> names;

    private final @Nullable String numbers;
    private final boolean ignoresMerges;
    private final boolean beginsTexts;

    PreTokenizer(List<String> names, @Nullable String numbers, boolean ignoresMerges, boolean beginsTexts) {
        this.names = names;
        this.numbers = numbers;
        this.ignoresMerges = ignoresMerges;
        this.beginsTexts = beginsTexts;
    }

    /** The way that a file's metadata names. */
    static PreTokenizer named(ConfigReader metadata) {
        String name = metadata.requiredString(KEY);
        return Arrays.stream(values())
                .filter(way -> way.names.contains(name))
                .findFirst()
                .orElseThrow(() -> metadata.error(
                        KEY,
                        "one of "
                                + Arrays.stream(values())
                                        .flatMap(way -> way.names.stream())
                                        .toList(),
                        "use the model's Hugging Face directory with its tokenizer.json"));
    }

    /** Whether a piece that is a token stays whole, even if no pairs lead to it. */
    boolean ignoresMerges() {
        return ignoresMerges;
    }

    /** Whether a text begins with a token of its own where the file does not say. */
    boolean beginsTexts() {
        return beginsTexts;
    }

    JsonElement normalizer() {
        return this == QWEN_2 ? TokenizerJson.typed("NFC") : JsonNull.INSTANCE;
    }

    JsonObject json() {
        JsonArray steps = new JsonArray();
        if (this == SMOLLM) {
            steps.add(TokenizerJson.typed("Digits", "individual_digits", true));
        }
        if (numbers != null) {
            JsonObject regex = new JsonObject();
            regex.addProperty("Regex", pattern(numbers));
            steps.add(TokenizerJson.typed("Split", "pattern", regex, "behavior", "Isolated", "invert", false));
        }
        steps.add(TokenizerJson.byteLevel(false, numbers == null));
        return TokenizerJson.typed("Sequence", "pretokenizers", steps);
    }

    /** Contractions, words with a leading sign or space, numbers, signs, lines, spaces. */
    private static String pattern(String numbers) {
        return "(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|" + numbers
                + "| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+";
    }
}
