using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Ranges;
using Xunit;

namespace ActorTrainer.Tests.FineTuneRuns;

public class FineTuneRunTests
{
    [Theory]
    [InlineData(false, 1, ScheduleKind.OneForwardOneBackward, false, false)]
    [InlineData(false, 2, ScheduleKind.GPipe, true, false)]
    [InlineData(false, 4, ScheduleKind.OneForwardOneBackward, false, true)]
    [InlineData(true, 1, ScheduleKind.GPipe, false, false)]
    [InlineData(true, 2, ScheduleKind.Interleaved, false, false)]
    [InlineData(true, 4, ScheduleKind.OneForwardOneBackward, true, false)]
    [InlineData(true, 4, ScheduleKind.GPipe, false, true)]
    public async Task A_pipeline_has_the_bits_of_a_plain_loop_after_every_step(bool lora, int stages, ScheduleKind schedule, bool serialised, bool recompute)
    {
        var options = FineTuneRun.Options(lora, stages, schedule, serialised, recompute);
        using var run = new FineTuneRun();

        var outcome = await run.Execute(options);

        using var plain = new PlainFineTuning(options);
        Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        Assert.Equal(FineTuneRun.Steps, plain.Digests.Count);
        Assert.Equal(plain.Digests, run.Observer.Digests);
        Assert.Equal(plain.Outputs(), Assert.Single(run.Observer.Outputs));
        Assert.Equal(7, Assert.Single(run.Observer.Evaluations).MaskedTokens);
        Assert.True(plain.BaseIsUnchanged);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_run_that_was_stopped_goes_on_with_other_stages_to_the_same_bits(bool lora)
    {
        using var stop = new CancellationTokenSource();
        using var run = new FineTuneRun();
        run.Observer.AfterStep = step =>
        {
            if (step == 3)
            {
                stop.Cancel();
            }
        };

        var stopped = await run.Execute(FineTuneRun.Options(lora, stages: 2), stop: stop.Token);
        var completed = await run.Execute(FineTuneRun.Options(lora, stages: 4, ScheduleKind.GPipe));

        using var plain = new PlainFineTuning(FineTuneRun.Options(lora));
        Assert.Equal(OutcomeKind.Stopped, stopped.Kind);
        Assert.InRange(stopped.Step, 3, FineTuneRun.Steps - 1);
        Assert.True(completed.Kind == OutcomeKind.Completed, completed.Message);
        Assert.Equal(plain.Digests, run.Observer.Digests);
    }

    [Theory]
    [InlineData(false, 1)] // before the first checkpoint: back to the base
    [InlineData(true, 2)]
    [InlineData(true, 4)]
    public async Task A_step_that_fails_is_run_again_from_the_last_checkpoint(bool lora, long failing)
    {
        using var run = new FineTuneRun();

        var outcome = await run.Execute(FineTuneRun.Options(lora, stages: 2), new FailingOnce(FineTuneRun.Batches(), failing));

        using var plain = new PlainFineTuning(FineTuneRun.Options(lora));
        Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        Assert.Equal(2, run.Observer.Attempts);
        Assert.Equal(plain.Digests, run.Observer.Digests);
    }

    [Fact]
    public async Task Every_commit_is_told_with_the_base_which_is_never_collected()
    {
        using var run = new FineTuneRun();

        var outcome = await run.Execute(FineTuneRun.Options(lora: true, stages: 2));

        Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        Assert.Equal([2, 4, 6], run.Commits.Select(commit => commit.Step));
        foreach (var (_, objects) in run.Commits)
        {
            Assert.Equal(8, objects.Count);
            Assert.All(run.Base, unit => Assert.Equal(unit.Value, objects[BaseObjects.Key(unit.Key)]));
        }

        Assert.All(run.Base.Values, hash => run.Store.Verified(hash));
        var last = run.Commits.Last().Objects;
        Assert.Equal("rng_state", Assert.Single(SafeTensors.Read(run.Store.Verified(last["embedding"])).Entries).Name);
        Assert.All(
            SafeTensors.Read(run.Store.Verified(last["layers.0"])).Entries.Where(entry => entry.Name != "rng_state"),
            entry => Assert.Contains("lora_", entry.Name));
        Assert.Throws<Model.Common.RefusedException>(() => run.Store.Verified(run.Commits.First().Objects["head"]));
    }

    [Theory]
    [InlineData(false, 1, false)]
    [InlineData(false, 4, true)]
    [InlineData(true, 4, false)]
    public async Task A_penalty_has_the_same_bits_in_every_cut_and_changes_the_training(bool lora, int stages, bool recompute)
    {
        var ranges = new RangeOptions { Penalty = 0.1, PenaltyFrom = 3, Targets = new RangeTargets { Relu = 0.01, NormBound = 0.5 } };
        var options = FineTuneRun.Options(lora, stages, recompute: recompute) with { Ranges = ranges };
        using var run = new FineTuneRun();

        var outcome = await run.Execute(options);

        using var plain = new PlainFineTuning(options, (step, scale) => step < 3 ? null : new RangePenalty(ranges.Targets, 0.1 * scale));
        using var without = new PlainFineTuning(options);
        Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        Assert.Equal(plain.Digests, run.Observer.Digests);
        Assert.Equal(without.Digests[2], run.Observer.Digests[2]);
        Assert.NotEqual(without.Digests[3], run.Observer.Digests[3]);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(4, true)]
    public async Task Recorded_ranges_are_those_of_all_steps_whatever_the_cut_and_after_a_stop(int stages, bool recompute)
    {
        using var stop = new CancellationTokenSource();
        using var plain = new FineTuneRun();
        using var run = new FineTuneRun();
        run.Observer.AfterStep = step =>
        {
            if (step == 3)
            {
                stop.Cancel();
            }
        };

        await plain.Execute(Recording(FineTuneRun.Options(lora: true, stages: 2)));
        var stopped = await run.Execute(Recording(FineTuneRun.Options(lora: true, stages: 2)), stop: stop.Token);
        run.Observer.AfterStep = _ => { };
        await run.Execute(Recording(FineTuneRun.Options(lora: true, stages, recompute: recompute)));

        Assert.Equal(OutcomeKind.Stopped, stopped.Kind);
        var expected = Ranges(plain);
        Assert.Equal(expected, Ranges(run));
        Assert.Contains("\"optimiser_inverse_root\"", expected["layers.0"]);
        Assert.Contains("\"kernel_exp\"", expected["layers.1"]);
        Assert.Contains("\"loss_reciprocal\"", expected["head"]);
        Assert.Equal("", expected["embedding"]);
        Assert.Equal(FineTuneRun.Steps / 2 * 5, UnitRanges.Parse(expected["head"], "head").Sites.Single(site => site.Place == "loss.sum").Statistics!.Count);
    }

    [Fact]
    public async Task Training_by_calibrated_polynomials_has_the_bits_of_any_cut_and_stays_near_the_exact_one()
    {
        using var exact = new FineTuneRun();
        await exact.Execute(Recording(FineTuneRun.Options(lora: true)));
        var statistics = UnitRanges.Statistics(Ranges(exact).ToDictionary(unit => unit.Key, unit => UnitRanges.Parse(unit.Value, unit.Key)));
        var polynomials = new RangeOptions { Functions = Calibration.Of(statistics).ToJson() };
        var losses = new List<double> { Assert.Single(exact.Observer.Evaluations).Loss };
        var digests = new List<SortedDictionary<long, IReadOnlyList<string>>>();
        foreach (var (stages, recompute) in new[] { (1, false), (4, true) })
        {
            using var run = new FineTuneRun();

            var outcome = await run.Execute(Recording(FineTuneRun.Options(lora: true, stages, recompute: recompute)) with { Ranges = polynomials });

            Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
            digests.Add(run.Observer.Digests);
            losses.Add(Assert.Single(run.Observer.Evaluations).Loss);
            var head = UnitRanges.Parse(Ranges(run)["head"], "head").Sites;
            Assert.Equal(0, head.Single(site => site.Function == PointFunction.OptimiserInverseRoot).Outside!.Value.Outside);
            Assert.All(head, site => Assert.Null(site.Statistics));
        }

        Assert.Equal(digests[0], digests[1]);
        Assert.NotEqual(exact.Observer.Digests, digests[0]);
        Assert.Equal(losses[1], losses[2]);
        Assert.Equal(losses[0], losses[1], 0.02);
    }

    [Fact]
    public async Task A_run_does_not_go_on_with_another_base_or_another_shape()
    {
        using var stop = new CancellationTokenSource();
        using var run = new FineTuneRun();
        run.Observer.AfterStep = _ => stop.Cancel();
        await run.Execute(FineTuneRun.Options(lora: true), stop: stop.Token);
        var options = FineTuneRun.Options(lora: true);

        var outcome = await run.Execute(options with { FineTune = options.FineTune! with { Lora = options.FineTune.Lora! with { Rank = 3 } } });

        run.Base = run.Base.ToDictionary(unit => unit.Key, unit => unit.Key == "head" ? run.Base["layers.0"] : unit.Value);
        var other = await run.Execute(options);

        Assert.Equal((OutcomeKind.Refused, OutcomeKind.Refused), (outcome.Kind, other.Kind));
        Assert.Contains("base.head: ", other.Message);
        Assert.Contains("finetune.lora.Rank: 2 in the run, 3 now", outcome.Message);
    }

    [Fact]
    public void A_base_that_lacks_a_tensor_or_a_unit_is_refused()
    {
        using var run = new FineTuneRun();
        var store = run.Store;
        using var layer = UnitFactory.Create(FineTuneRun.Arch, 1, 1, fineTune: FineTuneRun.Options(lora: false).FineTune);
        var part = store.Put(stream => SafeTensors.Write(stream, layer.Parameters.Skip(1).Select(p => (p.Name, p.Value))));

        var tensor = Assert.Throws<Model.Common.RefusedException>(() => BaseObjects.Load(layer, new Dictionary<string, string> { ["base/layers.0"] = part }, store));
        var unit = Assert.Throws<Model.Common.RefusedException>(() => BaseObjects.Load(layer, new Dictionary<string, string> { ["base/head"] = part }, store));

        Assert.Contains("encoder.layers.0.norm1.weight", tensor.Message);
        Assert.Contains("'layers.0'", unit.Message);
    }

    private static RunOptions Recording(RunOptions options) => options with
    {
        Ranges = new RangeOptions { CalibrateEvery = 2 },
        Train = options.Train with { Optim = options.Train.Optim with { Eps = 1e-4, EpsInsideRoot = true } },
    };

    private static Dictionary<string, string> Ranges(FineTuneRun run) => run.Commits.Last().Objects.Where(unit => !BaseObjects.IsBase(unit.Key))
        .ToDictionary(unit => unit.Key, unit => UnitStateFile.Ranges(run.Store.Verified(unit.Value)).ToJson());
}
