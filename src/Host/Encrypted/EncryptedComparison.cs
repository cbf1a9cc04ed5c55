using System.Globalization;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.FineTuning;
using ActorTrainer.Host.Reports;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.FineTuning;
using ActorTrainer.Model.Stages;
using static TorchSharp.torch;

namespace ActorTrainer.Host.Encrypted;

/// <summary>
/// Encrypted training beside the same in the clear: with the polynomials that stand for functions, with the functions themselves, and for short runs on the cleartext twin. It needs the
/// data and the secret key, so it is the owner's.
/// </summary>
/// <param name="folder">Folder of the encrypted run.</param>
internal sealed class EncryptedComparison(CommandContext context, EncryptedInputs inputs, string folder)
{
    /// <summary>The twin computes every slot on one core: a few steps show what is to be seen.</summary>
    private const int MostTwinSteps = 5;

    private EncryptedJob Job => inputs.Job;

    /// <summary>Trains in the clear by the polynomials, and tells which inputs left their domains: under encryption such an input wrecks a whole ciphertext.</summary>
    /// <param name="planned">The encrypted run.</param>
    /// <param name="examples">What the owner keeps of its rows.</param>
    public async Task Rehearse(TrainedModel planned, OwnerExamples examples, CancellationToken stop)
    {
        var rehearsed = await Clear("rehearsal", planned, Rows(planned, examples), inputs.Program.Recipe.Calibration, stop).ConfigureAwait(false);
        foreach (var (step, loss) in rehearsed.Losses)
        {
            Line($"  step {step,5}  loss {loss:0.000000}");
        }
    }

    /// <summary>Trains in the clear, decrypts, and prints a table.</summary>
    /// <param name="trained">The encrypted run.</param>
    /// <param name="examples">What the owner keeps of its rows.</param>
    public async Task Run(TrainedModel trained, OwnerExamples examples, CancellationToken stop)
    {
        var rows = Rows(trained, examples);
        var decrypted = Path.Combine(folder, "decrypted");
        DecryptCommand.Write(inputs, trained.Folder, decrypted);
        context.Out.WriteLine("the same steps in the clear …");
        var polynomial = await Clear("polynomial", trained, rows, inputs.Program.Recipe.Calibration, stop).ConfigureAwait(false);
        var exact = await Clear("exact", trained, rows, "", stop).ConfigureAwait(false);
        var encrypted = RunMetrics.Read(folder).Steps.ToDictionary(step => step.Step, step => step.Loss);
        Losses(encrypted, polynomial.Losses, exact.Losses);

        var learned = Adapter(decrypted);
        var (near, far) = (Distances(learned, Adapter(polynomial.Folder)), Distances(learned, Adapter(exact.Folder)));
        Line($"  adapters        relative distance of what was learned under encryption from polynomials {near.All:0.0e+0} (worst matrix {near.Worst:0.0e+0}), from functions {far.All:0.0e+0} ({far.Worst:0.0e+0})");
        if (trained.Options.Train.Budget <= MostTwinSteps)
        {
            var twin = Distances(learned, Twin(trained, examples));
            Line($"  twin            relative distance {twin.All:0.0e+0} (worst matrix {twin.Worst:0.0e+0})");
        }

        await Scores([("encrypted", decrypted), ("polynomials", polynomial.Folder), ("functions", exact.Folder)], stop).ConfigureAwait(false);
    }

    /// <summary>All rows: which of them are trained on, their encryption has decided.</summary>
    private GlueInputs Glue() => new(Job.Run with { Eval = Job.Run.Eval with { TrainRows = 0 } }, new PhaseProgress(context.Out, context.Console.Profile.Out.IsTerminal, TimeProvider.System));

    private OwnerRows Rows(TrainedModel trained, OwnerExamples examples) => new(Glue().Train(Job.Task, Job.Model.Tokenizer, Job.Arch.Sequence), examples, trained.Order);

    private async Task<(string Folder, IReadOnlyDictionary<long, double> Losses)> Clear(string name, TrainedModel trained, OwnerRows rows, string functions, CancellationToken stop)
    {
        var root = Path.Combine(folder, "clear", name);
        if (Directory.Exists(root))
        {
            Directory.Delete(root, recursive: true);
        }

        using var held = RunFolder.Open(root);
        var losses = new LossesOnly();
        var outcome = await new LocalRun
        {
            Options = trained.Options with
            {
                Name = name,
                Folder = root,
                Arch = Job.Arch with { Dropout = 0 },
                Ranges = new RangeOptions { Functions = functions },
                Train = trained.Options.Train with { CheckpointEvery = 0 },
                Pipeline = new PipelineOptions { Stages = 1 },
            },
            Folder = held,
            Batches = rows,
            Partition = StagePartition.ByCount(Job.Arch.Layers + 2, 1),
            TokenizerHash = Job.Model.Tokenizer.Hash,
            DataKey = inputs.Keys.Manifest.KeySha256,
            Base = BaseModel.WriteUnits(Job.Model.Source, new ContentStore(held.Store)),
            Export = (manifest, store) =>
            {
                if (functions.Length > 0)
                {
                    Polynomials.Report(context.Out, name, FineTuneParts.Outside(manifest, store));
                }

                return FineTuneParts.Export(root, manifest, store, Job.Shape, AdapterSaving.Separate, Job.Model.Tokenizer);
            },
            Observer = losses,
        }.Execute(stop).ConfigureAwait(false);
        return outcome.Kind == OutcomeKind.Completed ? (outcome.Export, losses.Of) : throw new RefusedException($"Training in the clear did not come to its end: {outcome.Message}");
    }

    private Dictionary<string, double[]> Twin(TrainedModel trained, OwnerExamples examples)
    {
        using var twin = TwinSteps.Run(inputs, trained, examples, (int)trained.Options.Train.Budget);
        return inputs.Program.Recipe.Units.SelectMany(unit => EncryptedNames.Of(unit).Select(pair => (pair.Outer, twin.Learned(unit)[pair.Inner]))).ToDictionary(pair => pair.Outer, pair => pair.Item2);
    }

    private void Losses(IReadOnlyDictionary<long, double> encrypted, IReadOnlyDictionary<long, double> polynomial, IReadOnlyDictionary<long, double> exact)
    {
        if (encrypted.Values.All(double.IsNaN))
        {
            Line($"  loss            hidden: the owner sees it at refreshes only, and was not asked for any");
            return;
        }

        Line($"  {"step",5}  {"encrypted",11}  {"polynomials",11}  {"functions",11}");
        var shown = encrypted.Keys.Where(step => step <= 3 || step == encrypted.Keys.Max() || step % Math.Max(1, encrypted.Count / 10) == 0);
        foreach (var step in shown)
        {
            Line($"  {step,5}  {encrypted[step],11:0.000000}  {polynomial[step],11:0.000000}  {exact[step],11:0.000000}");
        }

        var worst = encrypted.Max(pair => Math.Abs(pair.Value - polynomial[pair.Key]) / polynomial[pair.Key]);
        Line($"  loss            encrypted and polynomials differ by at most {worst:0.0e+0} of the loss, encrypted and functions by {encrypted.Max(pair => Math.Abs(pair.Value - exact[pair.Key]) / exact[pair.Key]):0.0e+0}");
    }

    private async Task Scores(IReadOnlyList<(string Name, string Folder)> models, CancellationToken stop)
    {
        var splits = Glue().Evaluation(Job.Task, Job.Model.Tokenizer, Job.Arch.Sequence);
        await using var scoring = new Scoring(Job.Run, splits, null, Scoring.Recipe(Job.Run, null, DeviceChoice.Of(Job.Run.Impl)));
        foreach (var (name, model) in models)
        {
            foreach (var score in await scoring.OfFolder(model, stop).ConfigureAwait(false))
            {
                Line($"  {score.Split,-14}  trained with {name,-11}  {Scoring.Describe(score)}");
            }
        }
    }

    private static Dictionary<string, double[]> Adapter(string model)
    {
        using var scope = NewDisposeScope();
        var header = SafeTensors.Read(Path.Combine(model, FineTunedModel.AdapterFile));
        return header.Entries.ToDictionary(entry => entry.Name, entry => SafeTensors.Load(header, entry.Name).to(ScalarType.Float64).contiguous().data<double>().ToArray());
    }

    private static (double All, double Worst) Distances(Dictionary<string, double[]> found, Dictionary<string, double[]> expected)
    {
        var parts = expected.Select(pair => (Error: pair.Value.Zip(found[pair.Key], (a, b) => (a - b) * (a - b)).Sum(), Size: pair.Value.Sum(v => v * v))).ToList();
        return (Math.Sqrt(parts.Sum(p => p.Error) / parts.Sum(p => p.Size)), parts.Max(p => p.Size > 0 ? Math.Sqrt(p.Error / p.Size) : 0));
    }

    private void Line(FormattableString text) => context.Out.WriteLine(text.ToString(CultureInfo.InvariantCulture));

    private sealed class LossesOnly : RunObserver
    {
        public Dictionary<long, double> Of { get; } = [];

        public override void OnStep(StepMetrics step) => Of[step.Step] = step.Loss;
    }
}
