package io.peftj.djl.contract;

import io.peftj.core.adapter.BackboneSpec;
import io.peftj.core.site.OutputRange;
import io.peftj.core.site.Role;
import io.peftj.core.site.Site;
import io.peftj.core.site.SiteNames;
import java.util.Arrays;
import java.util.List;

/** What architectures call what configurations name. */
final class ModuleNames {
    private ModuleNames() {}

    /** What the layers with these roles are called, as target_modules. */
    static String[] named(BackboneSpec spec, Role... roles) {
        List<Site> sites = Arrays.stream(roles)
                .flatMap(role -> spec.outputs(role).stream())
                .map(OutputRange::site)
                .distinct()
                .toList();
        return SiteNames.shortest(sites, spec.sites()).names().toArray(String[]::new);
    }

    /** What the norm after the last layer of a decoder is called. */
    static String lastNorm(BackboneSpec spec) {
        return spec.family().equals("gpt2") ? "ln_f" : "norm";
    }
}
