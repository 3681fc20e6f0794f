package io.peftj.methods.ia3;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.SiteNames;
import io.peftj.core.site.Targets;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.Predicate;

/** PEFT's usual targets by architecture, by name, since its files have to say them. */
final class Ia3Defaults {
    private Ia3Defaults() {}

    static Ia3Config complete(BackboneSpec spec, Ia3Config config) {
        Ia3Config.Builder completed =
                config.toBuilder().fanInFanOut(spec.sites().stream().anyMatch(Site::fanInFanOut));
        Targets targets = config.targets();
        FeedForward feedForward = config.feedForward();
        if (targets == null || targets instanceof Targets.AllLinear) {
            List<Site> chosen = spec.sites().stream()
                    .filter(targets == null ? site -> isUsual(spec, site) : Site::isBodyLinear)
                    .toList();
            Predicate<Site> scalesInput =
                    feedForward == null ? site -> scalesInput(spec, site) : site -> feedForward.matches(site.name());
            return byName(spec, chosen, scalesInput, completed);
        }
        if (feedForward == null) {
            completed.feedForward(
                    targets instanceof Targets.Names names
                            ? new FeedForward(entriesThatScaleInput(spec, names), null)
                            : usualFeedForward(spec));
        }
        return completed.build();
    }

    /** Settings of these targets, by names that no other layer has. */
    static Ia3Config byName(
            BackboneSpec spec, List<Site> chosen, Predicate<Site> scalesInput, Ia3Config.Builder completed) {
        if (chosen.isEmpty()) {
            throw new InvalidConfigException("(IA)3 has no usual targets for " + spec.architecture()
                    + "; give target_modules and feedforward_modules");
        }
        List<String> inputs = names(spec, chosen, scalesInput);
        List<String> all = new ArrayList<>(names(spec, chosen, scalesInput.negate()));
        all.addAll(inputs);
        return completed
                .targets(Targets.names(all))
                .feedForward(new FeedForward(inputs, null))
                .build();
    }

    private static List<String> names(BackboneSpec spec, List<Site> chosen, Predicate<Site> filter) {
        List<Site> some = chosen.stream().filter(filter).toList();
        return some.isEmpty()
                ? List.of()
                : SiteNames.shortest(some, spec.sites()).names();
    }

    /**
     * Keys, values and the narrowing layer, with PEFT's exceptions: queries for keys in Qwen, both blocks' outputs in encoders, and queries too where one
     * layer makes all three.
     */
    private static boolean isUsual(BackboneSpec spec, Site site) {
        Role first = spec.architecture().startsWith("Qwen") ? Role.QUERY : Role.KEY;
        return Set.of(first, Role.VALUE, Role.QUERY_KEY_VALUE).contains(site.role()) || scalesInput(spec, site);
    }

    private static boolean scalesInput(BackboneSpec spec, Site site) {
        return site.role() == Role.DOWN || (site.role() == Role.ATTENTION_OUTPUT && !spec.decoder());
    }

    private static FeedForward usualFeedForward(BackboneSpec spec) {
        return new FeedForward(names(spec, spec.sites(), site -> scalesInput(spec, site)), null);
    }

    /** PEFT wants feed-forward modules to be entries of the targets, where both are lists. */
    private static List<String> entriesThatScaleInput(BackboneSpec spec, Targets.Names targets) {
        List<String> entries = new ArrayList<>();
        for (String entry : targets.names()) {
            List<Site> matched = spec.sites().stream()
                    .filter(site -> Targets.matches(site.name(), entry))
                    .toList();
            long inputs =
                    matched.stream().filter(site -> scalesInput(spec, site)).count();
            if (inputs > 0 && inputs < matched.size()) {
                throw new InvalidConfigException("target_modules entry \"" + entry
                        + "\" matches feed-forward outputs and others, "
                        + matched.stream().map(site -> site.role()).distinct().toList()
                        + "; say which inputs are scaled by feedforward_modules");
            }
            if (inputs > 0) {
                entries.add(entry);
            }
        }
        return entries;
    }
}
