package io.peftj.testkit.contract;

import static org.assertj.core.api.Assertions.assertThat;

import io.peftj.core.adapter.BackboneSpec;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterAll;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.TestInstance;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What every adapter method must do on every model: start where it says, train with true gradients and nothing but its own parameters, survive files
 * and merging, share a batch with others without noticing, and give its memory back.
 *
 * <p>Extend it and override the two factories. The method must be found by its {@link java.util.ServiceLoader} entry. At least one of the models must be
 * {@linkplain ContractModel#isExact() exact}, since only there finite differences tell right gradients from wrong ones.
 */
@TestInstance(TestInstance.Lifecycle.PER_CLASS)
public abstract class AdapterMethodContract {
    static final long SEED = 11;

    private final List<ContractModel> models = new ArrayList<>();
    private final List<Long> liveBytes = new ArrayList<>();

    /** The configurations to test on a model, of different sizes and with everything the method offers switched on somewhere; at least two. */
    protected abstract List<TestedConfig> configs(BackboneSpec spec);

    /** Opens the models to test on; the contract closes them. */
    protected abstract List<ContractModel> openModels();

    @BeforeAll
    void open() {
        models.addAll(openModels());
        models.forEach(model -> liveBytes.add(model.backend().memory().liveBytes()));
    }

    @AfterAll
    void close() {
        models.forEach(ContractModel::close);
    }

    @AfterEach
    void nothingIsLeftAlive() {
        for (int i = 0; i < models.size(); i++) {
            assertThat(models.get(i).backend().memory().liveBytes())
                    .as("live bytes of " + models.get(i))
                    .isEqualTo(liveBytes.get(i));
        }
    }

    List<ContractModel> models() {
        return models;
    }

    Stream<ContractModel> languageModels() {
        return models.stream()
                .filter(model -> model.spec().decoder() && model.spec().head() == null);
    }

    Stream<ContractCase> cases() {
        return models.stream()
                .flatMap(model -> configs(model.spec()).stream().map(tested -> new ContractCase(model, tested)));
    }

    Stream<ContractCase> exactCases() {
        return cases().filter(c -> c.model().isExact());
    }

    Stream<ContractCase> languageCases() {
        return languageModels()
                .flatMap(model -> configs(model.spec()).stream().map(tested -> new ContractCase(model, tested)));
    }

    Stream<ContractCase> mergeableCases() {
        return cases().filter(c -> c.tested().mergeable());
    }

    Stream<ContractCase> unmergeableCases() {
        return cases().filter(c -> !c.tested().mergeable());
    }

    Stream<ContractCase> droppingCases() {
        return cases().filter(c -> c.initial(SEED).dropout() > 0);
    }

    // ---- how it starts ----

    @ParameterizedTest
    @MethodSource("cases")
    void aNewAdapterStartsWhereItIsSaidTo(ContractCase c) {
        Starting.aNewAdapterStartsWhereItIsSaidTo(c);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void equalSeedsGiveEqualAdapters(ContractCase c) {
        Starting.equalSeedsGiveEqualAdapters(c);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void thePlanCountsAndNamesWhatThereIs(ContractCase c) {
        Starting.thePlanCountsAndNamesWhatThereIs(c);
    }

    // ---- gradients and training ----

    @ParameterizedTest
    @MethodSource("exactCases")
    void gradientsEqualFiniteDifferences(ContractCase c) {
        ModelGradientCheck.run(c.randomised(SEED), TestRow.ragged(c.model(), SEED), SEED);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void everyParameterHasAGradient(ContractCase c) {
        Learning.everyParameterHasAGradient(c);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void trainingChangesTheAdapterAndNothingElse(ContractCase c) {
        Learning.trainingChangesTheAdapterAndNothingElse(c);
    }

    // ---- files ----

    @ParameterizedTest
    @MethodSource("cases")
    void aSavedAdapterIsTheSameWhenLoaded(ContractCase c, @TempDir Path folder) throws IOException {
        Saving.aSavedAdapterIsTheSameWhenLoaded(c, folder);
    }

    /** Gradient checkpointing: what is computed twice is the same twice, dropout included. */
    @ParameterizedTest
    @MethodSource("cases")
    void layersThatAreComputedAgainGiveTheSameGradients(ContractCase c) {
        Learning.layersThatAreComputedAgainGiveTheSameGradients(c);
    }

    // ---- merging ----

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("mergeableCases")
    void theMergedModelGivesTheSameAsTheAdapter(ContractCase c) {
        Merging.theMergedModelGivesTheSameAsTheAdapter(c);
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("mergeableCases")
    void anAdapterThatIsNotFiniteIsNotMerged(ContractCase c) {
        Merging.anAdapterThatIsNotFiniteIsNotMerged(c);
    }

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("unmergeableCases")
    void whatWeightsCannotHoldIsRefusedByName(ContractCase c) {
        Merging.whatWeightsCannotHoldIsRefusedByName(c);
    }

    // ---- batches ----

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void rowsOfAMixedBatchGiveWhatTheyGiveAlone(ContractModel model) {
        Mixing.rowsOfAMixedBatchGiveWhatTheyGiveAlone(model, configs(model.spec()));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void adaptersOfAMixedBatchLearnWhatTheyLearnAlone(ContractModel model) {
        Mixing.adaptersOfAMixedBatchLearnWhatTheyLearnAlone(model, configs(model.spec()));
    }

    @ParameterizedTest(autoCloseArguments = false)
    @MethodSource("models")
    void rowsWithoutAnAdapterGiveWhatTheBaseGives(ContractModel model) {
        Mixing.rowsWithoutAnAdapterGiveWhatTheBaseGives(model, configs(model.spec()));
    }

    /** A decoder's rows may come token by token, as generation has them. */
    @ParameterizedTest(autoCloseArguments = false, allowZeroInvocations = true)
    @MethodSource("languageModels")
    void keptKeysAndValuesGiveWhatWholeRowsGive(ContractModel model) {
        Mixing.keptKeysAndValuesGiveWhatWholeRowsGive(model, configs(model.spec()));
    }

    /** Labels are learnt from the tokens before them: what comes behind the prompt must not be seen any earlier. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("languageCases")
    void aLaterTokenChangesNoEarlierLogit(ContractCase c) {
        Mixing.aLaterTokenChangesNoEarlierLogit(c);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void paddingChangesNothing(ContractCase c) {
        Mixing.paddingChangesNothing(c);
    }

    @ParameterizedTest
    @MethodSource("cases")
    void positionsAreShiftedByWhatStandsBefore(ContractCase c) {
        Positions.check(c.randomised(SEED), TestRow.ragged(c.model(), SEED));
    }

    // ---- dropout ----

    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("droppingCases")
    void dropoutIsDrawnAgainByTheSameKeys(ContractCase c) {
        Dropping.dropoutIsDrawnAgainByTheSameKeys(c);
    }

    /** Of a small adapter the model is nearly linear, and there dropout must not change the mean. */
    @ParameterizedTest(allowZeroInvocations = true)
    @MethodSource("droppingCases")
    void dropoutKeepsTheMean(ContractCase c) {
        Dropping.dropoutKeepsTheMean(c);
    }
}
