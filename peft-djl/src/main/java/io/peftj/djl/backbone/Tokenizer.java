package io.peftj.djl.backbone;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.peftj.core.InvalidFileException;
import io.peftj.core.PeftException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.ModelDirectory;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.djl.chat.ChatTemplate;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A model's tokenizer.json. Thread-safe; truncation and padding that the file asks for are switched off, since callers cut and nothing is padded. */
public final class Tokenizer implements AutoCloseable {
    private static final Map<String, String> SETTINGS = Map.of("truncation", "false", "padding", "false");

    /** Words, cases, numbers, code, accents, other scripts, spaces. */
    private static final List<String> PROBES = List.of(
            "The quick brown fox jumps over the lazy dog.",
            "Internationalisation of UNBELIEVABLE McDonald's e-mails, isn't it?",
            "3.14159 - 2,718,281 = x_1 + y[2] * {z}; // 100 %",
            "na\u00efve caf\u00e9, \u00fcber stra\u00dfe, \u043f\u0440\u0438\u0432\u0435\u0442, \u4f60\u597d, \u0645\u0631\u062d\u0628\u0627, \ud83d\ude00",
            "  two  spaces\tand\nlines ");

    private final HuggingFaceTokenizer tokenizer;
    private final @Nullable ConfigReader config;
    private final @Nullable ChatTemplate chatTemplate;

    private Tokenizer(HuggingFaceTokenizer tokenizer, @Nullable ConfigReader config) {
        this.tokenizer = tokenizer;
        this.config = config;
        this.chatTemplate = config == null ? null : ChatTemplate.of(config).orElse(null);
    }

    /**
     * The tokenizer of a model, with its chat template where it has one.
     *
     * @return empty if the model has no tokenizer.json
     * @throws PeftException if a file cannot be read
     */
    static Optional<Tokenizer> open(ModelDirectory model) {
        ConfigReader config = model.tokenizerConfig().orElse(null);
        return model.tokenizerFile().map(file -> open(file, config));
    }

    /**
     * Opens a tokenizer.json.
     *
     * @throws InvalidFileException if it cannot be read
     */
    public static Tokenizer open(Path file) {
        return open(file, null);
    }

    private static Tokenizer open(Path file, @Nullable ConfigReader config) {
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(file, SETTINGS), config);
        } catch (IOException | RuntimeException e) {
            throw new InvalidFileException(
                    file.getFileName() + " is no tokenizer.json that can be read: " + e.getMessage(), e);
        }
    }

    /**
     * Reads a tokenizer.json to the end of a stream.
     *
     * @param source where the stream comes from, for messages
     * @throws InvalidFileException if it cannot be read
     */
    public static Tokenizer read(InputStream in, String source) {
        return read(in, source, null);
    }

    static Tokenizer read(InputStream in, String source, @Nullable ConfigReader config) {
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(in, SETTINGS), config);
        } catch (IOException | RuntimeException e) {
            throw new InvalidFileException(source + " is no tokenizer.json that can be read: " + e.getMessage(), e);
        }
    }

    /** What tokenizer_config.json says beside it, such as the texts of special tokens; empty if the model has none. */
    public Optional<ConfigReader> config() {
        return Optional.ofNullable(config);
    }

    /**
     * Makes the texts of conversations.
     *
     * @throws PeftException if the model came without a chat template
     */
    public ChatTemplate chatTemplate() {
        if (chatTemplate == null) {
            throw new PeftException(
                    "the model has no chat template: neither a chat_template.jinja nor a chat_template in"
                            + " tokenizer_config.json; use a chat model, or make one by ChatTemplate.of");
        }
        return chatTemplate;
    }

    /** Token ids with the special tokens that the model expects around a text. */
    public int[] encode(String text) {
        return ids(tokenizer.encode(text, true, false));
    }

    /** Token ids of a text alone. */
    public int[] encodePlain(String text) {
        return ids(tokenizer.encode(text, false, false));
    }

    /**
     * Token ids cut to a length: the text loses its end, the special tokens around it stay.
     *
     * @throws IllegalArgumentException if the length has no room for the special tokens
     */
    public int[] encode(String text, int maxLength) {
        Encoding encoding = tokenizer.encode(text, true, false);
        int[] ids = ids(encoding);
        if (ids.length <= maxLength) {
            return ids;
        }
        long[] special = encoding.getSpecialTokenMask();
        int behind = 0;
        while (behind < ids.length && special[ids.length - 1 - behind] == 1) {
            behind++;
        }
        if (Arrays.stream(special).sum() > maxLength) {
            throw new IllegalArgumentException("rows of at most " + maxLength
                    + " tokens have no room for the tokenizer's special tokens; allow longer rows");
        }
        int[] cut = Arrays.copyOf(ids, maxLength);
        System.arraycopy(ids, ids.length - behind, cut, maxLength - behind, behind);
        return cut;
    }

    /** Tells tokenizers apart by what they make of a few texts: copies of one tokenizer agree, however their files are laid out. */
    public String fingerprint() {
        long hash = 0;
        for (String text : PROBES) {
            for (int id : encode(text)) {
                hash = CounterRandom.key(hash, id);
            }
        }
        return String.format(Locale.ROOT, "%016x", hash);
    }

    /** The text of token ids, special tokens left out. */
    public String decode(int... ids) {
        return tokenizer.decode(Arrays.stream(ids).asLongStream().toArray(), true);
    }

    private static int[] ids(Encoding encoding) {
        return Arrays.stream(encoding.getIds()).mapToInt(Math::toIntExact).toArray();
    }

    @Override
    public void close() {
        tokenizer.close();
    }
}
