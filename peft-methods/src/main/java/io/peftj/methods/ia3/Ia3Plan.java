package io.peftj.methods.ia3;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.AdapterPlan;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.adapter.Contribution;
import io.peftj.core.adapter.DeriveContext;
import io.peftj.core.adapter.InitialiseContext;
import io.peftj.core.adapter.ParameterSpec;
import io.peftj.core.adapter.SavedModules;
import io.peftj.core.adapter.TargetSites;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.TargetMatcher;
import io.peftj.core.tensor.HostTensor;
import io.peftj.core.tensor.Shape;
import io.peftj.core.tensor.Tensor;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;

/** (IA)3 on one model: W(x⊙l) + b at feed-forward targets, (Wx + b)⊙l at the others. */
final class Ia3Plan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";

    private final BackboneSpec spec;
    private final Ia3Config config;
    private final List<Vector> vectors;
    private final SavedModules saved;

    /** Which of the targets have their input scaled. */
    Map<Site, Boolean> inputsScaled() {
        Map<Site, Boolean> found = new LinkedHashMap<>();
        vectors.forEach(vector -> found.put(vector.site(), vector.scalesInput()));
        return found;
    }

    /** The parameters that scale. */
    List<ParameterSpec> scales() {
        return vectors.stream().map(Vector::parameter).toList();
    }

    /** The vector of a site: stored [1, in] for its input, [out, 1] for its output. */
    private record Vector(Site site, boolean scalesInput) {
        ParameterSpec parameter() {
            Shape shape = scalesInput ? Shape.of(1, site.in()) : Shape.of(site.out(), 1);
            return new ParameterSpec(PREFIX + site.name() + ".ia3_l", shape);
        }

        Contribution contribution() {
            String name = parameter().name();
            return scalesInput ? new Contribution.InputScale(site, name) : new Contribution.OutputScale(site, name);
        }
    }

    /** Plans a configuration whose targets and feed-forward modules are given. */
    Ia3Plan(BackboneSpec spec, Ia3Config config) {
        this.spec = spec;
        this.config = config;
        this.vectors = vectors();
        this.saved = SavedModules.of(spec, config, PREFIX);
    }

    private List<Vector> vectors() {
        TargetMatcher matcher =
                new TargetMatcher(Objects.requireNonNull(config.targets()), config.exclude(), null, null);
        FeedForward feedForward = Objects.requireNonNull(config.feedForward());
        List<Vector> found = new ArrayList<>();
        for (Site site : TargetSites.of(spec, config, matcher)) {
            if (site.role() == Role.EMBEDDING) {
                throw new InvalidConfigException("target_modules match the token embeddings \"" + site.name()
                        + "\", but (IA)3 acts on linear layers; take them out of the targets");
            }
            found.add(new Vector(site, feedForward.matches(site.name())));
        }
        return found;
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        vectors.forEach(vector -> all.add(vector.parameter()));
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (Vector vector : vectors) {
            ParameterSpec parameter = vector.parameter();
            HostTensor value = config.startsAtOne()
                    ? HostTensor.filled(parameter.shape(), 1)
                    : context.random(parameter.name()).normal(parameter.shape(), 1);
            values.put(parameter.name(), value);
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    /** Without the axis of 1 that files have. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        for (Vector vector : vectors) {
            effective.computeIfPresent(
                    vector.parameter().name(),
                    (name, stored) -> stored.reshape((int) stored.shape().size()));
        }
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        vectors.forEach(vector -> all.add(vector.contribution()));
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }
}
