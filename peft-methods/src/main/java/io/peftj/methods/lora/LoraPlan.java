package io.peftj.methods.lora;

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

/** LoRA on one model: y + s·B·A·x at every target, with A [rank, in] and B [out, rank] stored unscaled. */
final class LoraPlan implements AdapterPlan {
    private static final String PREFIX = "base_model.model.";
    private static final String BIAS = ".bias";

    private final BackboneSpec spec;
    private final LoraConfig config;
    private final List<Target> targets;
    private final SavedModules saved;

    /** A site with its rank and its scale s = alpha / rank, or alpha / √rank. */
    private record Target(Site site, int rank, double scale) {
        ParameterSpec a() {
            return new ParameterSpec(PREFIX + site.name() + ".lora_A.weight", Shape.of(rank, site.in()));
        }

        ParameterSpec b() {
            return new ParameterSpec(PREFIX + site.name() + ".lora_B.weight", Shape.of(site.out(), rank));
        }
    }

    /** Plans a configuration whose targets are given. */
    LoraPlan(BackboneSpec spec, LoraConfig config) {
        this.spec = spec;
        this.config = config;
        this.targets = targets();
        this.saved = SavedModules.of(spec, config, PREFIX).and(biases());
    }

    private List<Target> targets() {
        TargetMatcher matcher = new TargetMatcher(
                Objects.requireNonNull(config.targets()),
                config.exclude(),
                config.layersToTransform().isEmpty() ? null : config.layersToTransform(),
                config.layersPattern());
        NamePatterns<Integer> ranks = new NamePatterns<>("rank_pattern", config.rankPattern());
        NamePatterns<Double> alphas = new NamePatterns<>("alpha_pattern", config.alphaPattern());
        List<Target> found = new ArrayList<>();
        for (Site site : TargetSites.of(spec, config, matcher)) {
            if (site.role() == Role.EMBEDDING) {
                throw new InvalidConfigException("target_modules match the token embeddings \"" + site.name()
                        + "\", on which LoRA is not implemented; target linear layers, or name it in modules_to_save");
            }
            int rank = ranks.valueFor(site.name(), config.rank());
            double alpha = alphas.valueFor(site.name(), config.alpha());
            found.add(new Target(site, rank, alpha / (config.rankStabilised() ? Math.sqrt(rank) : rank)));
        }
        return found;
    }

    /** PEFT wraps a target, so its bias is stored under base_layer. */
    private SavedModules biases() {
        Map<ParameterSpec, String> found = new LinkedHashMap<>();
        spec.parameters().forEach((name, shape) -> {
            String module = name.endsWith(BIAS) ? name.substring(0, name.length() - BIAS.length()) : "";
            boolean targeted =
                    targets.stream().anyMatch(target -> target.site().name().equals(module));
            boolean trained = switch (config.bias()) {
                case NONE -> false;
                case LORA_ONLY -> targeted;
                case ALL -> !module.isEmpty();
            };
            if (trained) {
                String stored = PREFIX + module + (targeted ? ".base_layer" : "") + BIAS;
                found.put(new ParameterSpec(stored, shape), name);
            }
        });
        return new SavedModules(found);
    }

    @Override
    public List<ParameterSpec> stored() {
        List<ParameterSpec> all = new ArrayList<>();
        for (Target target : targets) {
            all.add(target.a());
            all.add(target.b());
        }
        all.addAll(saved.stored());
        return List.copyOf(all);
    }

    @Override
    public Map<String, HostTensor> initialise(InitialiseContext context) {
        if (config.init() != LoraInit.ZERO_DELTA && config.init() != LoraInit.RANDOM) {
            throw new InvalidConfigException("init_lora_weights "
                    + config.init().key() + " is read from files but not implemented for new adapters; use true");
        }
        Map<String, HostTensor> values = new LinkedHashMap<>();
        for (Target target : targets) {
            // Kaiming's uniform initialisation with a = √5 is ±1/√in, as for PyTorch's Linear.
            ParameterSpec a = target.a();
            values.put(
                    a.name(),
                    context.random(a.name())
                            .uniform(a.shape(), 1 / Math.sqrt(target.site().in())));
            ParameterSpec b = target.b();
            values.put(
                    b.name(),
                    config.init() == LoraInit.RANDOM
                            ? context.random(b.name()).uniform(b.shape(), 1 / Math.sqrt(target.rank()))
                            : HostTensor.filled(b.shape(), 0));
        }
        values.putAll(saved.initialise(spec, context));
        return values;
    }

    /** The scale goes into B, so that adapters with different scales stack. */
    @Override
    public Map<String, Tensor> derive(Map<String, Tensor> parameters, DeriveContext context) {
        Map<String, Tensor> effective = new LinkedHashMap<>(parameters);
        for (Target target : targets) {
            effective.computeIfPresent(target.b().name(), (name, b) -> b.affine(target.scale(), 0));
        }
        return effective;
    }

    @Override
    public List<Contribution> contributions() {
        List<Contribution> all = new ArrayList<>();
        for (Target target : targets) {
            List<String> parameters = List.of(target.a().name(), target.b().name());
            all.add(new Contribution.Delta(target.site(), LoraFormula.INSTANCE, parameters, config.dropout()));
        }
        all.addAll(saved.contributions());
        return List.copyOf(all);
    }
}
