package io.peftj.testkit;

import io.peftj.core.io.SafetensorsWriter;
import io.peftj.core.tensor.CounterRandom;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.StringJoiner;
import org.jspecify.annotations.Nullable;

/**
 * Hugging Face directories of random models small enough for arithmetic in plain Java: two layers of width 16, 32 positions, a tokenizer with one token a
 * word.
 *
 * <p>Equal seeds write equal bytes.
 */
public final class TinyModels {
    /** Width of the residual stream. */
    public static final int WIDTH = 16;
    /** The most tokens of a row. */
    public static final int POSITIONS = 32;
    /** Number of layers. */
    public static final int LAYERS = 2;

    private static final int HEADS = 4;
    private static final int HEAD_DIM = WIDTH / HEADS;
    private static final int KEY_VALUE_HEADS = 2;
    private static final int FEED_FORWARD = 24;
    /** What the tokenizers put around a text, or end an answer with. */
    private static final List<String> SPECIAL = List.of("[PAD]", "[UNK]", "[CLS]", "[SEP]", "<s>", "</s>");

    private static final List<String> WORDS = List.of(
            "the", "a", "is", "was", "very", "not", "and", "film", "book", "song", "food", "room", "good", "great",
            "fine", "lovely", "bad", "poor", "awful", "dull", "red", "green", "blue", "one", "two", "three");

    private final Path folder;
    private final CounterRandom random;
    private final Map<String, HostTensor> tensors = new LinkedHashMap<>();

    private TinyModels(Path folder, long seed) {
        this.folder = folder;
        this.random = CounterRandom.of(CounterRandom.key(seed, "tiny model"));
    }

    /** Words that are one token each; others are unknown to the tokenizers. */
    public static List<String> words() {
        return WORDS;
    }

    /** Writes a bare BERT encoder (BertModel), whose tokenizer puts [CLS] before and [SEP] after a text. */
    public static Path bert(Path folder, long seed) {
        return new TinyModels(folder, seed).writeBert();
    }

    /**
     * Writes RoBERTa as it is published: the body of a masked language model (RobertaForMaskedLM), whose tokenizer puts {@code <s>} before and
     * {@code </s>} after a text.
     */
    public static Path roberta(Path folder, long seed) {
        return new TinyModels(folder, seed).writeRoberta();
    }

    /** Writes a LLaMA language model with tied embeddings, whose tokenizer puts {@code <s>} before a text; {@code </s>} ends. */
    public static Path llama(Path folder, long seed) {
        return new TinyModels(folder, seed).writeLlama();
    }

    /** Writes a Qwen2 language model with tied embeddings and the tokenizer of {@link #llama}. */
    public static Path qwen2(Path folder, long seed) {
        return new TinyModels(folder, seed).writeQwen2();
    }

    /** Writes a Qwen3 language model with tied embeddings and the tokenizer of {@link #llama}; its heads are wider than those of the others. */
    public static Path qwen3(Path folder, long seed) {
        return new TinyModels(folder, seed).writeQwen3();
    }

    /** Writes a GPT-2 language model with tied embeddings and the tokenizer of {@link #llama}. */
    public static Path gpt2(Path folder, long seed) {
        return new TinyModels(folder, seed).writeGpt2();
    }

    private Path writeBert() {
        encoder("", POSITIONS, 2);
        return write("""
                {"architectures": ["BertModel"], "model_type": "bert", "type_vocab_size": 2, %s}""", "[CLS]", "[SEP]");
    }

    private Path writeRoberta() {
        encoder("roberta.", POSITIONS, 1);
        return write("""
                {"architectures": ["RobertaForMaskedLM"], "model_type": "roberta", "type_vocab_size": 1, "pad_token_id": 0,
                 %s}""", "<s>", "</s>");
    }

    private void encoder(String body, int positions, int types) {
        String embeddings = body + "embeddings.";
        matrix(embeddings + "word_embeddings", vocabulary(), WIDTH);
        matrix(embeddings + "position_embeddings", positions, WIDTH);
        matrix(embeddings + "token_type_embeddings", types, WIDTH);
        layerNorm(embeddings + "LayerNorm");
        for (int l = 0; l < LAYERS; l++) {
            String layer = body + "encoder.layer." + l;
            for (String part : List.of("self.query", "self.key", "self.value", "output.dense")) {
                linear(layer + ".attention." + part, WIDTH, WIDTH);
            }
            layerNorm(layer + ".attention.output.LayerNorm");
            linear(layer + ".intermediate.dense", FEED_FORWARD, WIDTH);
            linear(layer + ".output.dense", WIDTH, FEED_FORWARD);
            layerNorm(layer + ".output.LayerNorm");
        }
    }

    private Path writeLlama() {
        decoder(HEAD_DIM);
        return writeDecoder("LlamaForCausalLM", "llama", HEAD_DIM);
    }

    private Path writeQwen2() {
        decoder(HEAD_DIM);
        for (int l = 0; l < LAYERS; l++) {
            String attention = "model.layers." + l + ".self_attn.";
            bias(attention + "q_proj", HEADS * HEAD_DIM);
            bias(attention + "k_proj", KEY_VALUE_HEADS * HEAD_DIM);
            bias(attention + "v_proj", KEY_VALUE_HEADS * HEAD_DIM);
        }
        return writeDecoder("Qwen2ForCausalLM", "qwen2", HEAD_DIM);
    }

    private Path writeQwen3() {
        int headDim = HEAD_DIM + 2;
        decoder(headDim);
        for (int l = 0; l < LAYERS; l++) {
            ones("model.layers." + l + ".self_attn.q_norm", headDim);
            ones("model.layers." + l + ".self_attn.k_norm", headDim);
        }
        return writeDecoder("Qwen3ForCausalLM", "qwen3", headDim);
    }

    private void decoder(int headDim) {
        matrix("model.embed_tokens", vocabulary(), WIDTH);
        for (int l = 0; l < LAYERS; l++) {
            String layer = "model.layers." + l;
            matrix(layer + ".self_attn.q_proj", HEADS * headDim, WIDTH);
            matrix(layer + ".self_attn.k_proj", KEY_VALUE_HEADS * headDim, WIDTH);
            matrix(layer + ".self_attn.v_proj", KEY_VALUE_HEADS * headDim, WIDTH);
            matrix(layer + ".self_attn.o_proj", WIDTH, HEADS * headDim);
            matrix(layer + ".mlp.gate_proj", FEED_FORWARD, WIDTH);
            matrix(layer + ".mlp.up_proj", FEED_FORWARD, WIDTH);
            matrix(layer + ".mlp.down_proj", WIDTH, FEED_FORWARD);
            ones(layer + ".input_layernorm", WIDTH);
            ones(layer + ".post_attention_layernorm", WIDTH);
        }
        ones("model.norm", WIDTH);
    }

    private Path writeDecoder(String architecture, String type, int headDim) {
        return write(
                "{\"architectures\": [\"" + architecture + "\"], \"model_type\": \"" + type + "\", \"head_dim\": "
                        + headDim
                        + ", \"num_key_value_heads\": " + KEY_VALUE_HEADS
                        + ", \"tie_word_embeddings\": true, \"bos_token_id\": 4, \"eos_token_id\": 5, %s}",
                "<s>",
                null);
    }

    private Path writeGpt2() {
        matrix("transformer.wte", vocabulary(), WIDTH);
        matrix("transformer.wpe", POSITIONS, WIDTH);
        for (int l = 0; l < LAYERS; l++) {
            String layer = "transformer.h." + l;
            layerNorm(layer + ".ln_1");
            conv1d(layer + ".attn.c_attn", WIDTH, 3 * WIDTH);
            conv1d(layer + ".attn.c_proj", WIDTH, WIDTH);
            layerNorm(layer + ".ln_2");
            conv1d(layer + ".mlp.c_fc", WIDTH, FEED_FORWARD);
            conv1d(layer + ".mlp.c_proj", FEED_FORWARD, WIDTH);
        }
        layerNorm("transformer.ln_f");
        String config = "{\"architectures\": [\"GPT2LMHeadModel\"], \"model_type\": \"gpt2\", \"n_embd\": " + WIDTH
                + ", \"n_layer\": "
                + LAYERS + ", \"n_head\": " + HEADS + ", \"n_inner\": " + FEED_FORWARD + ", \"n_positions\": "
                + POSITIONS + ", \"vocab_size\": " + vocabulary() + ", \"bos_token_id\": 4, \"eos_token_id\": 5}";
        return write(config, "<s>", null);
    }

    private static int vocabulary() {
        return SPECIAL.size() + WORDS.size();
    }

    private void matrix(String module, int out, int in) {
        // Large enough that layers matter, small enough that softmaxes do not saturate.
        tensors.put(module + ".weight", random.normal(Shape.of(out, in), 0.3));
    }

    private void linear(String module, int out, int in) {
        matrix(module, out, in);
        bias(module, out);
    }

    /** A linear layer whose matrix stands as [in, out]. */
    private void conv1d(String module, int in, int out) {
        matrix(module, in, out);
        bias(module, out);
    }

    private void bias(String module, int out) {
        tensors.put(module + ".bias", random.normal(Shape.of(out), 0.1));
    }

    private void ones(String module, int width) {
        tensors.put(module + ".weight", HostTensor.filled(Shape.of(width), 1));
    }

    private void layerNorm(String module) {
        ones(module, WIDTH);
        tensors.put(module + ".bias", HostTensor.filled(Shape.of(WIDTH), 0));
    }

    private Path write(String config, String before, @Nullable String after) {
        String sizes =
                "\"hidden_size\": " + WIDTH + ", \"num_hidden_layers\": " + LAYERS + ", \"num_attention_heads\": "
                        + HEADS + ", \"intermediate_size\": " + FEED_FORWARD + ", \"vocab_size\": " + vocabulary()
                        + ", \"max_position_embeddings\": " + POSITIONS;
        try {
            Files.createDirectories(folder);
            Files.writeString(folder.resolve("config.json"), config.formatted(sizes));
            Files.writeString(folder.resolve("tokenizer.json"), tokenizer(before, after));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
        SafetensorsWriter.write(folder.resolve("model.safetensors"), tensors, Map.of("format", "pt"));
        return folder;
    }

    private static String tokenizer(String before, @Nullable String after) {
        StringJoiner added = new StringJoiner(", ", "[", "]");
        StringJoiner vocabulary = new StringJoiner(", ", "{", "}");
        for (int id = 0; id < SPECIAL.size(); id++) {
            added.add("""
                    {"id": %d, "content": "%s", "single_word": false, "lstrip": false, "rstrip": false, "normalized": false,
                     "special": true}""".formatted(id, SPECIAL.get(id)));
            vocabulary.add("\"" + SPECIAL.get(id) + "\": " + id);
        }
        for (int w = 0; w < WORDS.size(); w++) {
            vocabulary.add("\"" + WORDS.get(w) + "\": " + (SPECIAL.size() + w));
        }
        return """
                {"version": "1.0", "truncation": null, "padding": null, "added_tokens": %s, "normalizer": null,
                 "pre_tokenizer": {"type": "WhitespaceSplit"}, "decoder": null, "post_processor": %s,
                 "model": {"type": "WordLevel", "vocab": %s, "unk_token": "[UNK]"}}""".formatted(added, template(before, after), vocabulary);
    }

    private static String template(String before, @Nullable String after) {
        StringJoiner single = new StringJoiner(", ", "[", "]");
        StringJoiner special = new StringJoiner(", ", "{", "}");
        single.add(piece(before));
        special.add(special(before));
        single.add("{\"Sequence\": {\"id\": \"A\", \"type_id\": 0}}");
        if (after != null) {
            single.add(piece(after));
            special.add(special(after));
        }
        return "{\"type\": \"TemplateProcessing\", \"single\": " + single + ", \"pair\": " + single
                + ", \"special_tokens\": " + special + "}";
    }

    private static String piece(String token) {
        return "{\"SpecialToken\": {\"id\": \"" + token + "\", \"type_id\": 0}}";
    }

    private static String special(String token) {
        return "\"" + token + "\": {\"id\": \"" + token + "\", \"ids\": [" + SPECIAL.indexOf(token)
                + "], \"tokens\": [\"" + token + "\"]}";
    }
}
