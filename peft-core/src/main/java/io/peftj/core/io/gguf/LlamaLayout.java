package io.peftj.core.io.gguf;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.FloatBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.regex.Matcher;
import java.util.regex.Pattern;

/**
 * How llama.cpp's converter lays out models of the LLaMA family: its names for tensors and settings, and the order of rows.
 *
 * <p>Of the architecture "llama" it interleaves the two halves of every rotary head of queries and keys; of "qwen2" and "qwen3" it does not.
 */
final class LlamaLayout {
    private static final Map<String, String> CLASSES = Map.of("llama", "Llama", "qwen2", "Qwen2", "qwen3", "Qwen3");
    private static final Map<String, String> OUTSIDE =
            Map.of("token_embd", "model.embed_tokens", "output_norm", "model.norm", "output", "lm_head");
    private static final Map<String, String> IN_LAYERS = Map.ofEntries(
            Map.entry("attn_norm", "input_layernorm"),
            Map.entry("attn_q", "self_attn.q_proj"),
            Map.entry("attn_k", "self_attn.k_proj"),
            Map.entry("attn_v", "self_attn.v_proj"),
            Map.entry("attn_q_norm", "self_attn.q_norm"),
            Map.entry("attn_k_norm", "self_attn.k_norm"),
            Map.entry("attn_output", "self_attn.o_proj"),
            Map.entry("ffn_norm", "post_attention_layernorm"),
            Map.entry("ffn_gate", "mlp.gate_proj"),
            Map.entry("ffn_up", "mlp.up_proj"),
            Map.entry("ffn_down", "mlp.down_proj"));
    /** What stretches rotary wavelengths: Llama 3.1's scaling, worked out by the converter. */
    private static final String ROPE_FACTORS = "rope_freqs.weight";

    private static final Pattern NAME = Pattern.compile("(?:blk\\.(\\d{1,4})\\.)?(\\w+)\\.(weight|bias)");

    /** Settings of an architecture that are read, or change nothing. */
    private static final Set<String> KNOWN = Set.of(
            "vocab_size",
            "context_length",
            "embedding_length",
            "feed_forward_length",
            "block_count",
            "tensor_data_layout",
            "attention.head_count",
            "attention.head_count_kv",
            "attention.key_length",
            "attention.value_length",
            "attention.layer_norm_rms_epsilon",
            "attention.sliding_window",
            "rope.dimension_count",
            "rope.freq_base",
            "rope.scaling.type",
            "rope.scaling.factor",
            "rope.scaling.original_context_length",
            "rope.scaling.finetuned");
    /** Settings that are read if they say no. */
    private static final Set<String> OFF = Set.of("expert_count", "expert_used_count", "pooling_type");

    private final GgufFile file;
    private final ConfigReader metadata;
    private final String architecture;

    private LlamaLayout(GgufFile file, String architecture) {
        this.file = file;
        this.metadata = file.metadata();
        this.architecture = architecture;
    }

    static LlamaLayout of(GgufFile file) {
        String architecture = file.metadata().requiredString("general.architecture");
        if (!CLASSES.containsKey(architecture)) {
            throw file.metadata()
                    .error(
                            "general.architecture",
                            "one of " + CLASSES.keySet().stream().sorted().toList(),
                            "use the model's Hugging Face directory");
        }
        LlamaLayout layout = new LlamaLayout(file, architecture);
        layout.refuseUnknownSettings();
        return layout;
    }

    private void refuseUnknownSettings() {
        if (metadata.optionalInt("split.count", 1) > 1) {
            throw metadata.error("split.count", "a model in one file", "join its parts with llama.cpp's gguf-split");
        }
        String prefix = architecture + ".";
        for (String key : metadata.keys()) {
            String setting = key.startsWith(prefix) ? key.substring(prefix.length()) : "";
            if (setting.isEmpty() || KNOWN.contains(setting)) {
                continue;
            }
            if (!OFF.contains(setting) || metadata.requiredInt(key) != 0) {
                throw metadata.error(
                        key, "no such setting, since it is not implemented", "use another model of this architecture");
            }
        }
        for (String name : file.tensors().keySet()) {
            if (name(name).isEmpty() && !name.equals(ROPE_FACTORS)) {
                throw new InvalidFileException(file.description() + ": expected tensors of the architecture "
                        + architecture + ", found \"" + name + "\", which is not implemented; use another model");
            }
        }
    }

    // ---- tensors ----

    /** Hugging Face's name of a tensor; empty for none. */
    Optional<String> name(String inFile) {
        Matcher matcher = NAME.matcher(inFile);
        if (!matcher.matches()) {
            return Optional.empty();
        }
        String layer = matcher.group(1);
        String module = (layer == null ? OUTSIDE : IN_LAYERS).get(matcher.group(2));
        String prefix = layer == null ? "" : "model.layers." + Integer.parseInt(layer) + ".";
        return Optional.ofNullable(module).map(known -> prefix + known + "." + matcher.group(3));
    }

    /** A tensor's blocks with the rows in Hugging Face's order. */
    ByteBuffer rows(GgufFile.Tensor tensor) {
        String name = tensor.entry().name();
        boolean interleaved = architecture.equals("llama") && name.matches("blk\\.\\d+\\.attn_[qk]\\.(weight|bias)");
        ByteBuffer bytes = tensor.bytes().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        if (!interleaved) {
            return bytes;
        }
        int rows = tensor.entry().shape().dim(0);
        int heads = name.contains(".attn_q.") ? heads() : keyValueHeads();
        if (heads < 1 || rows % (2 * heads) != 0) {
            throw new InvalidFileException(file.description() + ": expected rows of tensor \"" + name + "\" for "
                    + heads + " heads of an even width, found " + rows + " rows; the file is damaged");
        }
        int half = rows / heads / 2;
        int rowBytes = bytes.remaining() / rows;
        ByteBuffer turned = ByteBuffer.allocate(bytes.remaining()).order(ByteOrder.LITTLE_ENDIAN);
        for (int row = 0; row < rows; row++) {
            int head = row / (2 * half);
            int within = row % (2 * half);
            // Row i of a head's first half and row i of its second one are neighbours in the file.
            int from = 2 * half * head + 2 * (within % half) + within / half;
            turned.put(row * rowBytes, bytes, from * rowBytes, rowBytes);
        }
        return turned;
    }

    // ---- settings ----

    /** What config.json would hold. */
    ConfigReader config() {
        JsonObject config = new JsonObject();
        JsonArray architectures = new JsonArray();
        architectures.add(CLASSES.get(architecture) + "ForCausalLM");
        config.add("architectures", architectures);
        config.addProperty("model_type", architecture);
        config.addProperty("vocab_size", vocabulary());
        config.addProperty("hidden_size", metadata.requiredInt(key("embedding_length")));
        config.addProperty("intermediate_size", metadata.requiredInt(key("feed_forward_length")));
        config.addProperty("num_hidden_layers", metadata.requiredInt(key("block_count")));
        config.addProperty("num_attention_heads", heads());
        config.addProperty("num_key_value_heads", keyValueHeads());
        config.addProperty("head_dim", headDim());
        config.addProperty("max_position_embeddings", positions());
        config.addProperty("rms_norm_eps", metadata.requiredDouble(key("attention.layer_norm_rms_epsilon")));
        config.addProperty("attention_bias", file.tensors().containsKey("blk.0.attn_q.bias"));
        config.addProperty("mlp_bias", file.tensors().containsKey("blk.0.ffn_up.bias"));
        config.addProperty("tie_word_embeddings", !file.tensors().containsKey("output.weight"));
        config.add("rope_parameters", rope());
        addId(config, "bos_token_id", "bos");
        addId(config, "pad_token_id", "padding");
        addEnds(config);
        return ConfigReader.of(config, file.description());
    }

    private int vocabulary() {
        GgufFile.Tensor embeddings = file.tensors().get("token_embd.weight");
        if (embeddings == null) {
            throw new InvalidFileException(file.description()
                    + ": expected a tensor \"token_embd.weight\", found none; check that the file holds a whole model");
        }
        return embeddings.entry().shape().dim(0);
    }

    private int heads() {
        return metadata.requiredInt(key("attention.head_count"));
    }

    private int keyValueHeads() {
        return metadata.optionalInt(key("attention.head_count_kv"), heads());
    }

    private int headDim() {
        int usual = metadata.requiredInt(key("embedding_length")) / Math.max(1, heads());
        int headDim = metadata.optionalInt(key("attention.key_length"), usual);
        for (String setting : List.of("attention.value_length", "rope.dimension_count")) {
            if (metadata.optionalInt(key(setting), headDim) != headDim) {
                throw metadata.error(
                        key(setting),
                        headDim + ", the width of a head's keys",
                        "use another model of this architecture");
            }
        }
        return headDim;
    }

    /** Attention over all keys equals a sliding window as long as no row is longer than the window. */
    private int positions() {
        int positions = metadata.requiredInt(key("context_length"));
        return Math.min(positions, metadata.optionalInt(key("attention.sliding_window"), positions));
    }

    private JsonObject rope() {
        JsonObject rope = new JsonObject();
        rope.addProperty("rope_theta", metadata.optionalDouble(key("rope.freq_base"), 10000));
        String scaling = metadata.optionalString(key("rope.scaling.type"), "none");
        switch (scaling) {
            case "none" -> rope.addProperty("rope_type", "default");
            case "linear" -> {
                rope.addProperty("rope_type", "linear");
                rope.addProperty("factor", metadata.requiredDouble(key("rope.scaling.factor")));
            }
            default ->
                throw metadata.error(
                        key("rope.scaling.type"), "none or linear", "use a model without this scaling of positions");
        }
        GgufFile.Tensor factors = file.tensors().get(ROPE_FACTORS);
        if (factors != null) {
            JsonArray each = new JsonArray();
            FloatBuffer values =
                    factors.entry().type().dequantise(factors.bytes()).asFloatBuffer();
            while (values.hasRemaining()) {
                each.add(values.get());
            }
            rope.add("frequency_factors", each);
        }
        return rope;
    }

    private String key(String setting) {
        return architecture + "." + setting;
    }

    private void addId(JsonObject config, String key, String token) {
        String inFile = GgufTokenizer.PREFIX + token + "_token_id";
        if (metadata.has(inFile)) {
            config.addProperty(key, metadata.requiredInt(inFile));
        }
    }

    /** What ends a text, and what ends a turn of a conversation where that is another token. */
    private void addEnds(JsonObject config) {
        addId(config, "eos_token_id", "eos");
        String turn = GgufTokenizer.PREFIX + "eot_token_id";
        if (config.has("eos_token_id") && metadata.has(turn)) {
            int end = config.get("eos_token_id").getAsInt();
            if (metadata.requiredInt(turn) != end) {
                config.add("eos_token_id", TokenizerJson.array(end, metadata.requiredInt(turn)));
            }
        }
    }
}
