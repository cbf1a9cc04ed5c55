using System.Numerics;
using System.Security.Cryptography;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.He.Parameters;
using ActorTrainer.He.Scheme;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Stages;
using Xunit;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Encrypted fine-tuning through coordinator, stages, data plane, journal and checkpoints, refreshed by the data owner, against training in the clear.</summary>
public sealed class EncryptedRunTests
{
    private const int Steps = 2;

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public async Task A_run_on_ciphertexts_learns_what_training_in_the_clear_learns(int stages, bool wire)
    {
        using var folder = new Bert.TemporaryFolder();
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var owner = new MadeOwner(task, folder.Path);
        IReadOnlyDictionary<string, string> saved = new Dictionary<string, string>();
        using var run = RunFolder.Open(Path.Combine(folder.Path, "run"));
        var store = new ContentStore(run.Store);

        var observer = new Actors.RecordingObserver();
        var outcome = await new MadeRun(owner, run, stages, Steps) { Wire = wire, Observer = observer }.Execute(states => saved = states);

        Assert.True(outcome is { Kind: OutcomeKind.Completed, Step: Steps }, $"{outcome.Message}: {string.Join("; ", observer.Notices)}");
        var losses = task.Train(Steps, microBatches: 1);
        foreach (var plain in task.Units)
        {
            var found = owner.Decrypt(plain.Name, store.Verified(saved[plain.Name]));
            foreach (var (name, expected) in MadeTask.Learned(plain))
            {
                var (error, size) = (Distance(expected, found[name]), Distance(expected, new double[expected.Length]));
                Assert.True(error <= 1e-3 * size, $"{plain.Name} {name}: relative error {error / size:E2}.");
            }
        }

        var guard = new RangeGuard(owner.Plan.Ranges, new RealTokens(owner.Packing, owner.Plan.Ranges, _ => task.Lengths).Slots);
        foreach (var (key, slots) in owner.Seen)
        {
            guard.Observed(key, 0, [.. slots.Select(slot => new Complex(slot, 0))]);
        }

        Assert.Empty(guard.Warnings);
        Assert.Equal(Steps, losses.Count);
        Assert.Equal(Steps, owner.Seen.Keys.Max(key => key.Step));
        Assert.Equal(Steps * owner.Plan.Refreshes.Values.Sum(), owner.Seen.Keys.Count(key => key.Phase == Phase.Train));
        Assert.Equal(task.Shape.Outputs, owner.Seen.Keys.Count(key => key.Phase == Phase.Evaluate && key.Site == EncryptedStage.OutputSite("head")));
    }

    [Theory]
    [InlineData(RefreshKind.Bootstrap, SecondIteration.State)]
    [InlineData(RefreshKind.Mixed, SecondIteration.None)]
    public async Task A_run_whose_stages_bootstrap_learns_the_same_and_no_wire_or_file_of_it_tells_the_secret(RefreshKind refresh, SecondIteration twice)
    {
        using var folder = new Bert.TemporaryFolder();
        using var task = new MadeTask(layers: 1, outputs: 2);
        var seed = new Seed(SHA256.HashData("a seed that is nowhere else"u8));
        using var owner = new MadeOwner(task, folder.Path, seed, task.Recipe with { Set = ParameterSets.ToyB16D.Name, Refresh = refresh, Twice = twice });
        using var tap = new WireTap(new SecretSearch(SecretForms.Of(owner.Context, owner.Secret, seed)));
        IReadOnlyDictionary<string, string> saved = new Dictionary<string, string>();
        string objects;
        using (var run = RunFolder.Open(Path.Combine(folder.Path, "run")))
        {
            objects = run.Store;
            var observer = new Actors.RecordingObserver();

            var outcome = await new MadeRun(owner, run, Stages: 2, Steps: 1) { Observer = observer, Handler = tap.Around(owner.Server.Handle), Reading = tap.Around, Settings = tap.Settings() }
                .Execute(states => saved = states);

            Assert.True(outcome is { Kind: OutcomeKind.Completed, Step: 1 }, $"{outcome.Message}: {string.Join("; ", observer.Notices)}");
        }

        task.Train(1, microBatches: 1);
        var store = new ContentStore(objects);
        var (error, size) = (0.0, 0.0);
        foreach (var plain in task.Units)
        {
            var found = owner.Decrypt(plain.Name, store.Verified(saved[plain.Name]));
            foreach (var (name, expected) in MadeTask.Learned(plain))
            {
                error += Math.Pow(Distance(expected, found[name]), 2);
                size += Math.Pow(Distance(expected, new double[expected.Length]), 2);
            }
        }

        Assert.True(Math.Sqrt(error / size) <= 1e-4, $"relative error {Math.Sqrt(error / size):E2}");
        // The owner is shown outputs, and lifts the optimiser's state or nothing.
        var lifted = owner.Seen.Keys.Where(key => key.Phase == Phase.Train).Select(key => key.Site).Distinct().ToArray();
        Assert.Equal(refresh == RefreshKind.Mixed, lifted.Length > 0);
        Assert.All(lifted, site => Assert.True(site.Contains(".optimiser", StringComparison.Ordinal) || site.EndsWith(".packed", StringComparison.Ordinal), site));
        tap.LookInto(folder.Path);
        Assert.Empty(tap.Found);
        Assert.True(tap.Bytes["payloads"] > 0 && tap.Bytes["messages"] > 1000 && tap.Bytes["files"] > 1 << 20, string.Join(", ", tap.Bytes));
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    public async Task A_stage_holds_the_keys_of_its_own_units_alone_trains_with_them_and_tells_its_waits_apart(int stages)
    {
        using var folder = new Bert.TemporaryFolder();
        using var task = new MadeTask(layers: 2, outputs: 2);
        using var owner = new MadeOwner(task, folder.Path);
        using var program = new MadeProgram(task);
        using var run = RunFolder.Open(Path.Combine(folder.Path, "run"));
        var plan = EncryptedPlan.From(program.Units(), "made");
        var watch = new StepWatch();
        var made = new MadeRun(owner, run, stages, Steps: 1) { Plan = plan, Observer = watch };
        watch.OnEachStep = () => watch.Held = [.. made.Made.Select(stage => (string.Join(' ', stage.Units), stage.Keys, stage.UsedKeys))];

        Assert.Equal(OutcomeKind.Completed, (await made.Execute(_ => { })).Kind);

        var parts = StagePartition.ByCount(plan.Units.Count, stages).Parts.Select(part => plan.Units.Skip(part.First).Take(part.Count).ToArray()).ToArray();
        Assert.Equal(stages, watch.Held.Count);
        foreach (var units in parts)
        {
            var (_, held, used) = watch.Held.Single(stage => stage.Units == string.Join(' ', units.Select(unit => unit.Name)));
            Assert.Equal(EncryptedPlan.KeysOf(units), held.OrderBy(key => key.Element));
            Assert.Equal(EncryptedPlan.KeysOf(units), used.OrderBy(key => key.Element));
        }

        Assert.Contains(watch.Held, stage => stage.Keys.Count < plan.Keys.Count);
        var step = Assert.Single(watch.Steps);
        Assert.Equal(owner.Plan.Refreshes.Values.Sum(), step.Stages.Sum(stage => stage.Refreshed));
        Assert.All(step.Stages, stage => Assert.True(stage is { Computed: > 0, Waited: > 0, Refreshed: > 0 }, $"{stage}"));
        Assert.All(watch.Spans, span => Assert.InRange(span.Waited, 0, span.End - span.Start));
        Assert.Equal(step.Stages.Sum(stage => stage.Waited), watch.Spans.Sum(span => span.Waited), 1e-6);
    }

    private sealed class StepWatch : RunObserver
    {
        public Action OnEachStep { get; set; } = () => { };

        public IReadOnlyList<(string Units, IReadOnlyList<KeyRequest> Keys, IReadOnlyList<KeyRequest> UsedKeys)> Held { get; set; } = [];

        public List<StepMetrics> Steps { get; } = [];

        public List<StageSpan> Spans { get; } = [];

        public override void OnStep(StepMetrics step)
        {
            Steps.Add(step);
            OnEachStep();
        }

        public override void OnSpans(IReadOnlyList<StageSpan> spans) => Spans.AddRange(Steps.Count == 0 ? spans : []); // not of the evaluation
    }

    private static double Distance(double[] a, double[] b) => Math.Sqrt(a.Zip(b).Sum(pair => Math.Pow(pair.Item1 - pair.Item2, 2)));
}
