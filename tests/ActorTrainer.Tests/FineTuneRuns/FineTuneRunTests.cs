using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Checkpoints;
using TorchSharp;
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
        var options = FineTuneRun.Options(lora, stages, recompute: recompute);
        using var run = new FineTuneRun
        {
            Hooks = new StageHooks { Probe = (_, step) => step.Phase == Phase.Train ? new SquarePenalty(step.Scale) : null },
        };

        var outcome = await run.Execute(options);

        using var plain = new PlainFineTuning(options, scale => new SquarePenalty(scale));
        using var without = new PlainFineTuning(options);
        Assert.True(outcome.Kind == OutcomeKind.Completed, outcome.Message);
        Assert.Equal(plain.Digests, run.Observer.Digests);
        Assert.NotEqual(without.Digests[1], run.Observer.Digests[1]);
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

    /// <summary>Sum of all squared inputs of the gates and of the pooler's tanh.</summary>
    private sealed class SquarePenalty(double scale) : IPenaltyProbe
    {
        private torch.Tensor? _sum;

        public void Observe(FunctionSite site, torch.Tensor input)
        {
            if (site.Function is PointFunction.Relu or PointFunction.Tanh)
            {
                var term = input.square().sum() * (0.01 * scale);
                _sum = _sum is null ? term : _sum + term;
            }
        }

        public torch.Tensor? Take() => _sum;
    }
}
