package io.peftj.core.adapter;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.TargetMatcher;
import io.peftj.core.site.Targets;
import java.util.List;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The sites that a method acts on: those its targets match, without what is trained whole. */
public final class TargetSites {
    private static final Logger LOG = LoggerFactory.getLogger(TargetSites.class);
    private static final String UNUSED_POOLER = "pooler.dense";

    private TargetSites() {}

    /**
     * The matching sites in the model's order. As in PEFT, modules_to_save and the task's head are left out, whatever the targets say.
     *
     * @throws InvalidConfigException if an entry matches nothing, nothing is left, or a head is targeted that the task does not train
     */
    public static List<Site> of(BackboneSpec spec, AdapterConfig config, TargetMatcher matcher) {
        List<Site> matched = withoutUnusedPooler(spec, matcher).match(spec.sites());
        List<Site> found =
                matched.stream().filter(site -> !isTrainedWhole(site, config)).toList();
        if (found.isEmpty()) {
            throw new InvalidConfigException("target_modules match only modules that are trained whole, "
                    + matched.stream().map(Site::name).toList()
                    + "; target others, or take these out of modules_to_save");
        }
        for (Site site : found) {
            if (site.role() == Role.HEAD) {
                throw new InvalidConfigException("target_modules match the classification head \"" + site.name()
                        + "\", which adapters do not act on: it is trained whole; give the task type SEQ_CLS or name it in"
                        + " modules_to_save, or in exclude_modules to leave it as it is");
            }
        }
        return found;
    }

    /** PEFT finds a pooler in encoders whose output is pooled otherwise; nothing reads what it gives, and no gradient reaches it. */
    private static TargetMatcher withoutUnusedPooler(BackboneSpec spec, TargetMatcher matcher) {
        if (spec.decoder()
                || !spec.sites(Role.POOLER).isEmpty()
                || !(matcher.targets() instanceof Targets.Names targets)) {
            return matcher;
        }
        List<String> rest = targets.names().stream()
                .filter(entry -> !Targets.matches(entry, UNUSED_POOLER))
                .toList();
        if (rest.isEmpty() || rest.size() == targets.names().size()) {
            return matcher;
        }
        LOG.warn("target_modules name \"{}\", whose output nothing reads in this model; it is left out", UNUSED_POOLER);
        return new TargetMatcher(Targets.names(rest), matcher.exclude(), matcher.layers(), matcher.layersPattern());
    }

    private static boolean isTrainedWhole(Site site, AdapterConfig config) {
        boolean isTasksHead = site.role() == Role.HEAD && SavedModules.trainsHead(config);
        return isTasksHead || config.modulesToSave().stream().anyMatch(entry -> Targets.isInside(site.name(), entry));
    }
}
