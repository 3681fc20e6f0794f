package io.peftj.core.io.gguf;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.NamedTensors;
import io.peftj.core.io.StoredTensor;
import io.peftj.core.io.StoredType;
import io.peftj.core.io.TensorSource;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/**
 * A language model of the LLaMA family in a GGUF file, as Hugging Face's directory of it would be: tensors under the same names, in the same order of
 * rows, with the values of ggml's Python package; the same keys of config.json; a tokenizer.json.
 */
public final class GgufModel implements AutoCloseable {
    private static final String CHAT_TEMPLATE = "tokenizer.chat_template";
    /** Their keys in tokenizer_config.json, with the files' names for them. */
    private static final Map<String, String> SPECIAL_TOKENS =
            Map.of("bos_token", "bos", "eos_token", "eos", "pad_token", "padding", "unk_token", "unknown");

    private final GgufFile file;
    private final LlamaLayout layout;
    private final NamedTensors tensors;

    private GgufModel(GgufFile file) {
        this.file = file;
        this.layout = LlamaLayout.of(file);
        List<StoredTensor> all = new ArrayList<>();
        for (GgufFile.Tensor tensor : file.tensors().values()) {
            layout.name(tensor.entry().name()).ifPresent(name -> all.add(stored(name, tensor)));
        }
        this.tensors = new NamedTensors(file.description(), all);
    }

    /** Whether a file begins as GGUF files do. */
    public static boolean isGguf(Path file) {
        return GgufFile.isOne(file);
    }

    /**
     * Opens a model and maps it into memory; nobody may truncate the file while it is in use.
     *
     * @throws InvalidFileException if the file is missing, damaged, or says something that is not read, which the message names
     */
    public static GgufModel open(Path file) {
        return new GgufModel(GgufFile.open(file));
    }

    /** Reads a file that is in memory already; the bytes are not copied. */
    static GgufModel of(ByteBuffer bytes, String description) {
        return new GgufModel(GgufFile.of(bytes, description));
    }

    /** The file's name, for messages. */
    public String description() {
        return file.description();
    }

    /** The tensors that model.safetensors would hold. */
    public TensorSource tensors() {
        return tensors;
    }

    /** What config.json would hold. */
    public ConfigReader config() {
        return layout.config();
    }

    /**
     * The text of a tokenizer.json that cuts texts as the file's vocabulary wants it; empty if there is no vocabulary.
     *
     * @throws InvalidFileException if it cuts texts in a way that is not known
     */
    public Optional<String> tokenizer() {
        return GgufTokenizer.of(file.metadata()).map(GgufTokenizer::json);
    }

    /** What tokenizer_config.json would hold: the texts of special tokens, and the chat template. */
    public ConfigReader tokenizerConfig() {
        JsonObject config = new JsonObject();
        GgufTokenizer.of(file.metadata())
                .ifPresent(tokenizer -> SPECIAL_TOKENS.forEach(
                        (key, name) -> tokenizer.special(name).ifPresent(text -> config.addProperty(key, text))));
        if (file.metadata().has(CHAT_TEMPLATE)) {
            config.addProperty("chat_template", file.metadata().requiredString(CHAT_TEMPLATE));
        }
        return ConfigReader.of(config, file.description());
    }

    private StoredTensor stored(String name, GgufFile.Tensor tensor) {
        GgufHeader.Entry entry = tensor.entry();
        return entry.type()
                .stored()
                .map(type -> StoredTensor.of(name, file.description(), type, entry.shape(), () -> layout.rows(tensor)))
                .orElseGet(() -> StoredTensor.of(
                        name,
                        file.description(),
                        StoredType.F32,
                        entry.shape(),
                        () -> entry.type().dequantise(layout.rows(tensor))));
    }

    /** Lets go of the file; tensors already found stay readable. */
    @Override
    public void close() {
        tensors.close();
    }
}
