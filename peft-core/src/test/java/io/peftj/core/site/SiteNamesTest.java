package io.peftj.core.site;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

class SiteNamesTest {
    private static final List<Site> SITES = sites(
            "layer.0.attention.query",
            "layer.0.attention.dense",
            "layer.0.output.dense",
            "layer.1.attention.query",
            "layer.1.attention.dense",
            "layer.1.output.dense",
            "dense");

    private static List<Site> sites(String... names) {
        return Arrays.stream(names)
                .map(name -> new Site(name, Role.QUERY, 0, 1, 1, false))
                .toList();
    }

    @Test
    void lastPartIsEnoughWhereItTellsSitesApart() {
        assertThat(SiteNames.shortest(sites("layer.0.attention.query", "layer.1.attention.query"), SITES)
                        .names())
                .containsExactly("query");
    }

    @Test
    void namesGrowUntilTheyMatchNothingElse() {
        assertThat(SiteNames.shortest(sites("layer.0.output.dense", "layer.1.output.dense"), SITES)
                        .names())
                .containsExactly("output.dense");
        assertThat(SiteNames.shortest(sites("layer.1.output.dense"), SITES).names())
                .containsExactly("1.output.dense");
    }

    @Test
    void wholeNameIsTheLastResort() {
        assertThat(SiteNames.shortest(sites("dense"), SITES).names()).containsExactly("dense");
    }
}
