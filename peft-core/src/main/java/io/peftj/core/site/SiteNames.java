package io.peftj.core.site;

import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;

/** Turns a choice of sites into the names that target_modules would make it by. */
public final class SiteNames {
    private SiteNames() {}

    /**
     * The shortest ends of names, such as "q_proj", that match the chosen sites and no others.
     *
     * @param chosen at least one site
     * @param all the sites to tell them from
     */
    public static Targets.Names shortest(List<Site> chosen, List<Site> all) {
        Set<String> names = chosen.stream().map(Site::name).collect(Collectors.toSet());
        Set<String> entries = new LinkedHashSet<>();
        for (Site site : chosen) {
            if (entries.stream().noneMatch(entry -> Targets.matches(site.name(), entry))) {
                entries.add(shortest(site.name(), names, all));
            }
        }
        return new Targets.Names(List.copyOf(entries));
    }

    private static String shortest(String name, Set<String> chosen, List<Site> all) {
        for (int dot = name.lastIndexOf('.'); dot >= 0; dot = name.lastIndexOf('.', dot - 1)) {
            String end = name.substring(dot + 1);
            if (all.stream().allMatch(site -> chosen.contains(site.name()) || !Targets.matches(site.name(), end))) {
                return end;
            }
        }
        return name;
    }
}
