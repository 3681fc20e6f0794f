package io.peftj.core.site;

import io.peftj.core.InvalidConfigException;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Finds the sites that a configuration names. PEFT's rules, with one difference: a target that matches nothing is always an error.
 *
 * @param targets what to match
 * @param exclude names or one regular expression to leave out; null for none
 * @param layers only sites of these layers, and those that targets name in full; null for all
 * @param layersPattern regular expressions for the name of the list that layers are counted in, such as "layers"; null for the usual ones
 */
public record TargetMatcher(
        Targets targets,
        @Nullable Targets exclude,
        @Nullable List<Integer> layers,
        @Nullable List<String> layersPattern) {
    private static final Logger LOG = LoggerFactory.getLogger(TargetMatcher.class);

    /** Matches without exclusions, in all layers. */
    public static TargetMatcher of(Targets targets) {
        return new TargetMatcher(targets, null, null, null);
    }

    /**
     * The matching sites in the order given.
     *
     * @throws InvalidConfigException if an entry or a layer matches nothing; the message lists the names there are
     */
    public List<Site> match(List<Site> sites) {
        List<Site> found = new ArrayList<>();
        for (Site site : sites) {
            if (matches(targets, site) && !isExcluded(site) && (isWholeName(site) || isInLayers(site))) {
                found.add(site);
            }
        }
        checkEntries(sites);
        if (found.isEmpty()) {
            throw new InvalidConfigException("target_modules " + describe(targets)
                    + (exclude == null ? "" : " without exclude_modules " + describe(exclude))
                    + (layers == null ? "" : " in layers " + layers) + " match no module of the model; its modules are "
                    + known(sites));
        }
        return List.copyOf(found);
    }

    private void checkEntries(List<Site> sites) {
        if (targets instanceof Targets.Names names) {
            for (String entry : names.names()) {
                List<Site> hits = sites.stream()
                        .filter(s -> Targets.matches(s.name(), entry))
                        .toList();
                if (hits.isEmpty()) {
                    throw new InvalidConfigException("target_modules names \"" + entry
                            + "\", which matches no module of the model; its modules are " + known(sites));
                }
                if (hits.stream().map(Site::role).distinct().count() > 1) {
                    LOG.info(
                            "target_modules entry \"{}\" matches modules of several kinds: {}",
                            entry,
                            hits.stream().map(Site::role).distinct().toList());
                }
            }
        }
        if (exclude instanceof Targets.Names names) {
            for (String entry : names.names()) {
                // No error, since adapters made for a larger model, or by PEFT, have such entries: they change nothing.
                if (sites.stream().noneMatch(s -> Targets.matches(s.name(), entry))) {
                    LOG.warn(
                            "exclude_modules names \"{}\", which matches no module of the model; its modules are {}",
                            entry,
                            known(sites));
                }
            }
        }
        if (layers != null) {
            int count = sites.stream().mapToInt(Site::layer).max().orElse(-1) + 1;
            for (int layer : layers) {
                if (layer < 0 || layer >= count) {
                    throw new InvalidConfigException("layers_to_transform names layer " + layer
                            + ", but the model has layers 0 to " + (count - 1) + "; name some of these");
                }
            }
        }
    }

    private static boolean matches(Targets targets, Site site) {
        if (targets instanceof Targets.Names names) {
            return names.names().stream().anyMatch(entry -> Targets.matches(site.name(), entry));
        }
        if (targets instanceof Targets.Regex regex) {
            return regex.pattern().matcher(site.name()).matches();
        }
        return site.isBodyLinear();
    }

    private boolean isExcluded(Site site) {
        return exclude != null && matches(exclude, site);
    }

    /** As in PEFT, what is named in full is meant in whatever layer it is. */
    private boolean isWholeName(Site site) {
        return targets instanceof Targets.Names names && names.names().contains(site.name());
    }

    private boolean isInLayers(Site site) {
        if (layers == null) {
            return true;
        }
        if (layersPattern == null || layersPattern.isEmpty()) {
            return layers.contains(site.layer());
        }
        for (String pattern : layersPattern) {
            Matcher matcher = Pattern.compile("(?:^|.*?\\.)" + pattern + "\\.(?<layer>\\d+)\\.")
                    .matcher(site.name());
            if (matcher.lookingAt()) {
                String layer = matcher.group("layer");
                return layer != null && layers.contains(Integer.parseInt(layer));
            }
        }
        return false;
    }

    private static String describe(Targets targets) {
        if (targets instanceof Targets.Names names) {
            return names.names().toString();
        }
        return targets instanceof Targets.Regex regex ? "\"" + regex.pattern() + "\"" : "\"all-linear\"";
    }

    /** The distinct names without layer numbers: what one can write into target_modules. */
    private static String known(List<Site> sites) {
        return sites.stream()
                .sorted(Comparator.comparing(Site::layer))
                .map(site -> site.name().replaceFirst("^.*\\.\\d+\\.", ""))
                .distinct()
                .toList()
                .toString();
    }
}
