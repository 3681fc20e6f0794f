package io.peftj.djl.backbone;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import io.peftj.core.PeftException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.adapter.Pooling;
import io.peftj.core.io.ConfigReader;
import io.peftj.core.io.StoredType;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/** The config.json of a model that was changed by merging. */
final class ExportedConfig {
    private static final Map<StoredType, String> DTYPES =
            Map.of(StoredType.F32, "float32", StoredType.BF16, "bfloat16", StoredType.F16, "float16");

    private static final Set<Role> FEED_FORWARD = Set.of(Role.GATE, Role.UP, Role.DOWN);

    private ExportedConfig() {}

    /**
     * The configuration with what has changed.
     *
     * @param before the model's
     * @param was what it described
     * @param is the model with the adapter's changes
     * @param labels class names in the order of the logits; empty for none
     * @param type what all weights are stored as; null for what they were
     * @throws PeftException if no class of transformers has the model's head, or its biases
     */
    static JsonObject of(
            JsonObject before, BackboneSpec was, BackboneSpec is, List<String> labels, @Nullable StoredType type) {
        JsonObject config = before.deepCopy();
        if (was.tied() && !is.tied()) {
            config.addProperty("tie_word_embeddings", false);
        }
        HeadSpec head = is.head();
        if (head != null && (!head.equals(was.head()) || !labels.isEmpty())) {
            setHead(config, was, head, labels);
        }
        setBiases(config, was, is);
        if (type != null) {
            // transformers 5 calls it dtype, transformers 4 torch_dtype.
            config.addProperty(config.has("torch_dtype") ? "torch_dtype" : "dtype", DTYPES.get(type));
        }
        return config;
    }

    private static void setHead(JsonObject config, BackboneSpec was, HeadSpec head, List<String> labels) {
        HeadSpec own = was.head();
        if (own == null) {
            config.add("architectures", architectures(was, head));
        } else if (!own.withClasses(head.classes()).equals(head)) {
            throw new PeftException("the adapter's head pools rows by their "
                    + head.pooling().name().toLowerCase(Locale.ROOT) + " state, " + was.architecture() + "'s by their "
                    + own.pooling().name().toLowerCase(Locale.ROOT)
                    + ", so that no config.json describes the merged model; keep the adapter beside its base instead");
        }
        JsonObject names = new JsonObject();
        JsonObject numbers = new JsonObject();
        for (int i = 0; i < head.classes(); i++) {
            String label = labels.size() == head.classes() ? labels.get(i) : "LABEL_" + i;
            names.addProperty(Integer.toString(i), label);
            numbers.addProperty(label, i);
        }
        config.add("id2label", names);
        config.add("label2id", numbers);
    }

    /** Biases of layers that had none: by the keys that LLaMA's classes have for them, where they then have just these. */
    private static void setBiases(JsonObject config, BackboneSpec was, BackboneSpec is) {
        List<String> added = is.sites().stream()
                .filter(site -> site.bias() && site.isBodyLinear())
                .map(Site::biasName)
                .filter(name -> !was.parameters().containsKey(name))
                .toList();
        if (added.isEmpty()) {
            return;
        }
        for (Site site : is.sites()) {
            if (added.contains(site.biasName())) {
                config.addProperty(FEED_FORWARD.contains(site.role()) ? "mlp_bias" : "attention_bias", true);
            }
        }
        Set<String> described = Backbones.spec(ConfigReader.of(config, "config.json"))
                .parameters()
                .keySet();
        Set<String> wrong = new TreeSet<>(is.parameters().keySet());
        wrong.removeIf(described::contains);
        described.stream().filter(name -> !is.parameters().containsKey(name)).forEach(wrong::add);
        if (!wrong.isEmpty()) {
            throw new PeftException("transformers' " + was.architecture() + " has no settings for biases like the"
                    + " adapter's, such as " + wrong.iterator().next()
                    + ", so that no config.json describes the merged model; keep the adapter beside its base instead");
        }
    }

    /** A decoder's classifier has a linear head named score over the last token. */
    private static JsonArray architectures(BackboneSpec was, HeadSpec head) {
        String classifier = was.architecture().replaceFirst("(ForCausalLM|LMHeadModel)$", "ForSequenceClassification");
        boolean known = was.decoder() && head.pooling() == Pooling.LAST && !head.bias() && !was.isBare();
        if (!known) {
            throw new PeftException("transformers has no classifier of " + was.architecture()
                    + " whose head reads the " + head.pooling().name().toLowerCase(Locale.ROOT)
                    + " of a row's states, so that no config.json describes the merged model; keep the adapter beside its"
                    + " base instead");
        }
        JsonArray architectures = new JsonArray();
        architectures.add(classifier);
        return architectures;
    }
}
