package io.peftj.core.adapter;

import io.peftj.core.InvalidConfigException;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.TargetMatcher;
import io.peftj.core.site.Targets;
import java.util.List;

/** The sites that a method acts on: those its targets match, without what is trained whole. */
public final class TargetSites {
    private TargetSites() {}

    /**
     * The matching sites in the model's order. As in PEFT, modules_to_save and the task's head are left out, whatever the targets say.
     *
     * @throws InvalidConfigException if an entry matches nothing, nothing is left, or a head is targeted that the task does not train
     */
    public static List<Site> of(BackboneSpec spec, AdapterConfig config, TargetMatcher matcher) {
        List<Site> matched = matcher.match(spec.sites());
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

    private static boolean isTrainedWhole(Site site, AdapterConfig config) {
        boolean isTasksHead = site.role() == Role.HEAD && SavedModules.trainsHead(config);
        return isTasksHead || config.modulesToSave().stream().anyMatch(entry -> Targets.isInside(site.name(), entry));
    }
}
