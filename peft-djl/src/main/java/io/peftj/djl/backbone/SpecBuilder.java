package io.peftj.djl.backbone;

import io.peftj.core.adapter.HeadSpec;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.tensor.Shape;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/** Collects a model's sites and parameters in the model's order, for its spec. */
public final class SpecBuilder {
    private final List<Site> sites = new ArrayList<>();
    private final Map<String, Shape> parameters = new LinkedHashMap<>();

    /** A linear layer with its matrix and, where it has one, its bias. */
    public SpecBuilder linear(String name, Role role, int layer, int in, int out, boolean bias) {
        return add(new Site(name, role, layer, in, out, bias));
    }

    /** A linear layer with a bias whose matrix files hold as [in, out]: GPT-2's Conv1D. */
    public SpecBuilder conv1d(String name, Role role, int layer, int in, int out) {
        return add(new Site(name, role, layer, in, out, true, true));
    }

    /** The layers of a classification head. */
    public SpecBuilder head(HeadSpec head) {
        head.layers().forEach(this::add);
        return this;
    }

    /** The output embedding that is the token embedding: a site without a parameter of its own. */
    public SpecBuilder tiedOutput(String name, int in, int out) {
        sites.add(new Site(name, Role.OUTPUT_EMBEDDING, -1, in, out, false));
        return this;
    }

    /** The token embeddings [vocabulary, width], a site. */
    public SpecBuilder embedding(String name, int vocabulary, int width) {
        sites.add(new Site(name, Role.EMBEDDING, -1, width, vocabulary, false));
        parameters.put(name + ".weight", Shape.of(vocabulary, width));
        return this;
    }

    /** A parameter at which no adapter acts but by replacing it. */
    public SpecBuilder parameter(String name, int... dims) {
        parameters.put(name, Shape.of(dims));
        return this;
    }

    private SpecBuilder add(Site site) {
        sites.add(site);
        parameters.put(site.weightName(), Shape.of(site.out(), site.in()));
        if (site.bias()) {
            parameters.put(site.biasName(), Shape.of(site.out()));
        }
        return this;
    }

    /** The sites so far. */
    public List<Site> sites() {
        return sites;
    }

    /** The parameters so far. */
    public Map<String, Shape> parameters() {
        return parameters;
    }
}
