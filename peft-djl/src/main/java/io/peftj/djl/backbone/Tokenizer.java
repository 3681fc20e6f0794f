package io.peftj.djl.backbone;

import ai.djl.huggingface.tokenizers.Encoding;
import ai.djl.huggingface.tokenizers.HuggingFaceTokenizer;
import io.peftj.core.InvalidFileException;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;

/** A model's tokenizer.json. Thread-safe; truncation and padding that the file asks for are switched off, since callers cut and nothing is padded. */
public final class Tokenizer implements AutoCloseable {
    private static final Map<String, String> SETTINGS = Map.of("truncation", "false", "padding", "false");

    private final HuggingFaceTokenizer tokenizer;

    private Tokenizer(HuggingFaceTokenizer tokenizer) {
        this.tokenizer = tokenizer;
    }

    /**
     * Opens a tokenizer.json.
     *
     * @throws InvalidFileException if it cannot be read
     */
    public static Tokenizer open(Path file) {
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(file, SETTINGS));
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
        try {
            return new Tokenizer(HuggingFaceTokenizer.newInstance(in, SETTINGS));
        } catch (IOException | RuntimeException e) {
            throw new InvalidFileException(source + " is no tokenizer.json that can be read: " + e.getMessage(), e);
        }
    }

    /** Token ids with the special tokens that the model expects around a text. */
    public int[] encode(String text) {
        return ids(tokenizer.encode(text, true, false));
    }

    /** Token ids of a text alone. */
    public int[] encodePlain(String text) {
        return ids(tokenizer.encode(text, false, false));
    }

    /** Token ids cut to a length, the special tokens kept. */
    public int[] encode(String text, int maxLength) {
        int[] ids = encode(text);
        if (ids.length <= maxLength) {
            return ids;
        }
        int special = ids.length - encodePlain(text).length;
        // What stands behind the text, such as [SEP], stays behind it.
        int behind = special == 0 ? 0 : special - special / 2;
        int[] cut = Arrays.copyOf(ids, maxLength);
        System.arraycopy(ids, ids.length - behind, cut, maxLength - behind, behind);
        return cut;
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
