package io.peftj.core.io;

import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.TreeMap;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;

/**
 * A base model as Hugging Face lays it out: {@code config.json}, the weights in {@code model.safetensors} or in the
 * shards that {@code model.safetensors.index.json} lists, and {@code tokenizer.json} where text is used.
 */
public final class ModelDirectory implements TensorSource {
    private static final String CONFIG = "config.json";
    private static final String WEIGHTS = "model.safetensors";
    private static final String INDEX = "model.safetensors.index.json";
    private static final String TOKENIZER = "tokenizer.json";
    private static final String GENERATION = "generation_config.json";
    private static final String TOKENIZER_CONFIG = "tokenizer_config.json";
    /** Where transformers 5 puts what used to be a key of tokenizer_config.json. */
    private static final String CHAT_TEMPLATE = "chat_template.jinja";

    private static final int MAX_TEMPLATE_BYTES = 1 << 20;
    private static final List<String> PICKLES = List.of("pytorch_model.bin", "pytorch_model.bin.index.json");

    /** An index comes from a stranger and must not lead out of its folder. */
    private static final Pattern SHARD = Pattern.compile("[A-Za-z0-9_][A-Za-z0-9._-]*\\.safetensors");

    private final Path folder;
    private final ConfigReader config;
    private final NamedTensors tensors;

    private ModelDirectory(Path folder, ConfigReader config, NamedTensors tensors) {
        this.folder = folder;
        this.config = config;
        this.tensors = tensors;
    }

    /**
     * Opens a model and checks that its index and shards agree.
     *
     * @throws InvalidFileException if a file is missing, damaged or a pickle
     */
    public static ModelDirectory open(Path folder) {
        InputFiles.requireFolder(folder, "a model's folder with " + CONFIG + " and " + WEIGHTS);
        ConfigReader config = ConfigReader.read(folder.resolve(CONFIG));
        return new ModelDirectory(folder, config, new NamedTensors(InputFiles.shortName(folder), tensors(folder)));
    }

    private static List<StoredTensor> tensors(Path folder) {
        if (Files.exists(folder.resolve(WEIGHTS))) {
            return all(Safetensors.open(folder.resolve(WEIGHTS)));
        }
        if (Files.exists(folder.resolve(INDEX))) {
            return sharded(folder);
        }
        for (String pickle : PICKLES) {
            if (Files.exists(folder.resolve(pickle))) {
                throw Pickles.refused(
                        folder.resolve(pickle),
                        "import transformers as t; c = t.AutoConfig.from_pretrained('.');"
                                + " getattr(t, c.architectures[0]).from_pretrained('.').save_pretrained('.')");
            }
        }
        throw new InvalidFileException(InputFiles.shortName(folder) + ": expected " + WEIGHTS + " or " + INDEX
                + ", found neither; download the model's safetensors files into the folder");
    }

    private static List<StoredTensor> sharded(Path folder) {
        Path file = folder.resolve(INDEX);
        String index = InputFiles.shortName(file);
        Map<String, String> shardOfTensor = weightMap(ConfigReader.read(file), index);
        Map<String, Safetensors> shards = new TreeMap<>();
        for (String shard : shardOfTensor.values()) {
            shards.computeIfAbsent(shard, name -> Safetensors.open(folder.resolve(name)));
        }
        List<StoredTensor> tensors = new ArrayList<>();
        shards.forEach((shard, content) -> {
            for (String name : content.names()) {
                @Nullable String listed = shardOfTensor.get(name);
                if (!shard.equals(listed)) {
                    throw new InvalidFileException(index + ": expected tensor \"" + NearNames.shorten(name) + "\" in "
                            + shard + ", which holds it, found " + (listed == null ? "it nowhere" : "it in " + listed)
                            + "; download the index and all shards again");
                }
                tensors.add(content.find(name));
            }
        });
        // No shard holds a tensor that the index doesn't list there, so equal numbers mean equal sets.
        if (tensors.size() != shardOfTensor.size()) {
            shardOfTensor.forEach((name, shard) -> requireInShard(shards, shard, name));
        }
        return tensors;
    }

    private static void requireInShard(Map<String, Safetensors> shards, String shard, String name) {
        @Nullable Safetensors content = shards.get(shard);
        if (content == null || !content.contains(name)) {
            throw new InvalidFileException(shard + ": expected tensor \"" + NearNames.shorten(name) + "\", as " + INDEX
                    + " says, found none by that name; download the index and all shards again");
        }
    }

    private static Map<String, String> weightMap(ConfigReader index, String source) {
        ConfigReader map = index.requiredObject("weight_map");
        Map<String, String> shardOfTensor = new TreeMap<>();
        for (String tensor : map.keys()) {
            String shard = map.requiredString(tensor);
            if (!SHARD.matcher(shard).matches()) {
                throw new InvalidFileException(source + ": expected the plain name of a .safetensors file for tensor \""
                        + NearNames.shorten(tensor) + "\", found \"" + NearNames.shorten(shard)
                        + "\"; the index is damaged or hostile, download it again");
            }
            shardOfTensor.put(tensor, shard);
        }
        return shardOfTensor;
    }

    private static List<StoredTensor> all(TensorSource source) {
        return source.names().stream().map(source::find).toList();
    }

    /** The folder itself. */
    public Path folder() {
        return folder;
    }

    /** The model's {@code config.json}. */
    public ConfigReader config() {
        return config;
    }

    /** The model's {@code tokenizer.json}, where there is one. */
    public Optional<Path> tokenizerFile() {
        return file(TOKENIZER);
    }

    /** The model's {@code generation_config.json}, where there is one. */
    public Optional<ConfigReader> generationConfig() {
        return file(GENERATION).map(ConfigReader::read);
    }

    private Optional<Path> file(String name) {
        return Optional.of(folder.resolve(name)).filter(Files::isRegularFile);
    }

    /**
     * The model's {@code tokenizer_config.json}, where there is one, with what {@code chat_template.jinja} holds under {@code chat_template}.
     *
     * @throws InvalidFileException if one of the two files cannot be read
     */
    public Optional<ConfigReader> tokenizerConfig() {
        Path file = folder.resolve(TOKENIZER_CONFIG);
        Path template = folder.resolve(CHAT_TEMPLATE);
        if (!Files.isRegularFile(file) && !Files.isRegularFile(template)) {
            return Optional.empty();
        }
        JsonObject json = Files.isRegularFile(file) ? Json.read(file) : new JsonObject();
        if (Files.isRegularFile(template)) {
            byte[] text = InputFiles.readAll(template, MAX_TEMPLATE_BYTES);
            json.addProperty("chat_template", new String(text, StandardCharsets.UTF_8));
        }
        return Optional.of(ConfigReader.of(json, InputFiles.shortName(file)));
    }

    @Override
    public String description() {
        return tensors.description();
    }

    @Override
    public List<String> names() {
        return tensors.names();
    }

    @Override
    public boolean contains(String name) {
        return tensors.contains(name);
    }

    @Override
    public StoredTensor find(String name) {
        return tensors.find(name);
    }

    @Override
    public void close() {
        tensors.close();
    }
}
