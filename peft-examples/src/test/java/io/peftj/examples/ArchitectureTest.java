package io.peftj.examples;

import static com.tngtech.archunit.base.DescribedPredicate.not;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAPackage;
import static com.tngtech.archunit.core.domain.JavaClass.Predicates.resideInAnyPackage;
import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.noClasses;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;
import static org.assertj.core.api.Assertions.assertThat;

import com.tngtech.archunit.core.domain.JavaClasses;
import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Which packages may know which; it stands here because this module alone sees all the others. */
@AnalyzeClasses(packages = "io.peftj", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {

    /**
     * A rule over classes that nobody found holds of itself, so the import must not come back smaller than this. Raise
     * it as the project grows: about nine tenths of the count that the failing message gives for a floor set too high.
     */
    private static final int FEWEST_CLASSES = 40;

    @ArchTest
    static void theRulesSeeTheWholeProject(JavaClasses classes) {
        assertThat(classes.size()).as("classes of io.peftj on the class path").isGreaterThanOrEqualTo(FEWEST_CLASSES);
    }

    @ArchTest
    static final ArchRule coreKnowsNoOtherModule = ofOurOwnKnowsOnly("io.peftj.core..");

    @ArchTest
    static final ArchRule methodsKnowCoreOnly = ofOurOwnKnowsOnly("io.peftj.methods..", "io.peftj.core..");

    @ArchTest
    static final ArchRule djlKnowsCoreOnly = ofOurOwnKnowsOnly("io.peftj.djl..", "io.peftj.core..");

    @ArchTest
    static final ArchRule testkitKnowsCoreOnly = ofOurOwnKnowsOnly("io.peftj.testkit..", "io.peftj.core..");

    @ArchTest
    static final ArchRule noMethodKnowsAnother = slices().matching("io.peftj.methods.(*)..")
            .should()
            .notDependOnEachOther()
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule noBackboneKnowsAnother = slices().matching("io.peftj.djl.backbone.(*)..")
            .should()
            .notDependOnEachOther()
            .allowEmptyShould(true);

    @ArchTest
    static final ArchRule theEngineAloneKnowsDjlsPyTorch = noClasses()
            .that()
            .resideOutsideOfPackage("io.peftj.djl.engine..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.djl.pytorch..");

    @ArchTest
    static final ArchRule noDjlBelowPeftDjl = noClasses()
            .that()
            .resideInAnyPackage("io.peftj.core..", "io.peftj.methods..", "io.peftj.testkit..")
            .should()
            .dependOnClassesThat()
            .resideInAPackage("ai.djl..");

    /** Of the project's packages, {@code module} knows itself and {@code others}. */
    private static ArchRule ofOurOwnKnowsOnly(String module, String... others) {
        return noClasses()
                .that()
                .resideInAPackage(module)
                .should()
                .dependOnClassesThat(resideInAPackage("io.peftj..")
                        .and(not(resideInAPackage(module)))
                        .and(not(resideInAnyPackage(others))))
                .allowEmptyShould(true);
    }
}
