package io.peftj.core.adapter;

import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What an adapter's plan needs to know of a base model: sizes, sites and parameters by name. Made of config.json alone, without weights or natives.
 *
 * @param architecture the class Hugging Face opens it with, such as "LlamaForCausalLM"
 * @param family the family of backbones, such as "llama" or "bert"
 * @param layers number of layers
 * @param width width of the residual stream
 * @param vocabulary number of token embeddings
 * @param heads query heads of a layer
 * @param keyValueHeads key and value heads of a layer
 * @param headDim width of a head
 * @param positions the most tokens a row may have
 * @param decoder whether attention is causal
 * @param tied whether the output embedding is the token embedding
 * @param sites the matrices that adapters can act on, in the model's order
 * @param parameters all parameters by name with their shapes, in the model's order; matrices of sites are [out, in] whatever files hold
 * @param head the classification head, whose layers are sites if the model has values for them and else come from adapters; null for none
 */
public record BackboneSpec(
        String architecture,
        String family,
        int layers,
        int width,
        int vocabulary,
        int heads,
        int keyValueHeads,
        int headDim,
        int positions,
        boolean decoder,
        boolean tied,
        List<Site> sites,
        Map<String, Shape> parameters,
        @Nullable HeadSpec head) {
    /** Keeps copies. */
    public BackboneSpec {
        sites = List.copyOf(sites);
        parameters = java.util.Collections.unmodifiableMap(new LinkedHashMap<>(parameters));
    }

    /** The site of a name. */
    public Site site(String name) {
        return sites.stream()
                .filter(site -> site.name().equals(name))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException("the model has no site " + name));
    }

    /** Sites with a role. */
    public List<Site> sites(Role role) {
        return sites.stream().filter(site -> site.role() == role).toList();
    }

    /** The outputs that have a role: whole sites, or parts of sites that make queries, keys and values at once. */
    public List<OutputRange> outputs(Role role) {
        List<OutputRange> found = new ArrayList<>();
        for (Site site : sites) {
            int queries = heads * headDim;
            int keys = queries + keyValueWidth();
            if (site.role() == role) {
                found.add(OutputRange.all(site));
            } else if (site.role() == Role.QUERY_KEY_VALUE && role == Role.QUERY) {
                found.add(new OutputRange(site, 0, queries));
            } else if (site.role() == Role.QUERY_KEY_VALUE && role == Role.KEY) {
                found.add(new OutputRange(site, queries, keys));
            } else if (site.role() == Role.QUERY_KEY_VALUE && role == Role.VALUE) {
                found.add(new OutputRange(site, keys, site.out()));
            }
        }
        return found;
    }

    /** Whether files hold a parameter's two axes the other way round, as {@link Site#fanInFanOut} says. */
    public boolean isTransposedInFiles(String parameter) {
        return sites.stream()
                .anyMatch(site -> site.fanInFanOut() && site.weightName().equals(parameter));
    }

    /**
     * A parameter's shape in the base model's files, and wherever else it is kept whole.
     *
     * @throws IllegalArgumentException if the model has no such parameter
     */
    public Shape shapeInFiles(String parameter) {
        Shape shape = parameters.get(parameter);
        if (shape == null) {
            throw new IllegalArgumentException("the model has no parameter " + parameter);
        }
        return isTransposedInFiles(parameter) ? Shape.of(shape.dim(1), shape.dim(0)) : shape;
    }

    /** Whether it is a body alone, which makes neither next-token nor class logits. */
    public boolean isBare() {
        return architecture.endsWith("Model");
    }

    /**
     * The same body with another classification head, or with its first one; an output embedding goes.
     *
     * @param other the head, whose parameters then come from an adapter or are the base's own
     */
    public BackboneSpec withHead(HeadSpec other) {
        List<Site> kept = new ArrayList<>(sites);
        kept.removeIf(site -> site.role() == Role.HEAD || site.role() == Role.OUTPUT_EMBEDDING);
        kept.addAll(other.layers());
        Map<String, Shape> all = new LinkedHashMap<>(parameters);
        all.keySet().removeIf(name -> isOfRole(name, Role.HEAD) || isOfRole(name, Role.OUTPUT_EMBEDDING));
        for (Site layer : other.layers()) {
            all.put(layer.weightName(), Shape.of(layer.out(), layer.in()));
            if (layer.bias()) {
                all.put(layer.biasName(), Shape.of(layer.out()));
            }
        }
        return with(tied, kept, all, other);
    }

    /**
     * The head of a new classification task with this model: its own kind where it has one, else "score" over a decoder's last token, or "classifier"
     * over the mean of an encoder's.
     */
    public HeadSpec headFor(int classes) {
        if (head != null) {
            return head.withClasses(classes);
        }
        return decoder
                ? new HeadSpec("score", classes, width, false, Pooling.LAST)
                : new HeadSpec("classifier", classes, width, true, Pooling.MEAN);
    }

    /** The same model with an output embedding of its own. */
    public BackboneSpec untied() {
        Map<String, Shape> all = new LinkedHashMap<>(parameters);
        sites(Role.OUTPUT_EMBEDDING).forEach(site -> all.put(site.weightName(), Shape.of(site.out(), site.in())));
        return with(false, sites, all, head);
    }

    /**
     * The same model with biases at linear layers that have none.
     *
     * @param names names of the biases among the model's parameters; what is no site's bias, or there already, is passed over
     */
    public BackboneSpec withBiases(Set<String> names) {
        List<Site> biased = new ArrayList<>();
        Map<String, Shape> added = new LinkedHashMap<>(parameters);
        for (Site site : sites) {
            if (site.bias() || !names.contains(site.biasName())) {
                biased.add(site);
            } else {
                biased.add(new Site(
                        site.name(), site.role(), site.layer(), site.in(), site.out(), true, site.fanInFanOut()));
                added.put(site.biasName(), Shape.of(site.out()));
            }
        }
        return with(tied, biased, added, head);
    }

    private BackboneSpec with(
            boolean nowTied, List<Site> otherSites, Map<String, Shape> otherParameters, @Nullable HeadSpec otherHead) {
        return new BackboneSpec(
                architecture,
                family,
                layers,
                width,
                vocabulary,
                heads,
                keyValueHeads,
                headDim,
                positions,
                decoder,
                nowTied,
                otherSites,
                otherParameters,
                otherHead);
    }

    private boolean isOfRole(String parameter, Role role) {
        return sites(role).stream()
                .anyMatch(site -> parameter.equals(site.weightName()) || parameter.equals(site.biasName()));
    }

    /** Width of a layer's keys or of its values: kv heads × head dim. */
    public int keyValueWidth() {
        return keyValueHeads * headDim;
    }

    /** Number of the base model's parameters, tied ones once. */
    public long parameterCount() {
        return parameters.values().stream().mapToLong(Shape::size).sum();
    }
}
