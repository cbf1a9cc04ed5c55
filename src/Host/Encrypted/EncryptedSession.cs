using System.Collections.Concurrent;
using System.Globalization;
using ActorTrainer.Actors;
using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.KeyHolder;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Configuration;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Common;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Host.Encrypted;

/// <summary>One run on ciphertexts with owner, coordinator and stages in this process: training, or one evaluation.</summary>
/// <param name="context">The command.</param>
/// <param name="inputs">What the owner brings.</param>
/// <param name="folder">Folder of the run, held by the caller.</param>
internal sealed class EncryptedSession(CommandContext context, EncryptedInputs inputs, RunFolder folder)
{
    private readonly RunConfiguration _run = context.Run;
    private readonly ConcurrentBag<EncryptedStage> _stages = [];

    private EncryptedJob Job => inputs.Job;

    /// <summary>Trains.</summary>
    /// <param name="train">Training micro-batches.</param>
    /// <param name="examples">What the owner keeps of them.</param>
    /// <param name="steps">Steps; 0: as many as eval.epochs come to.</param>
    /// <returns>The exit code and, where the run has come to its end, what came of it.</returns>
    public async Task<(int Code, TrainedModel? Trained)> Train(EncryptedDataset train, OwnerExamples examples, long steps, CancellationToken stop)
    {
        var same = InTheClear(train, steps);
        var source = same.Order;
        var options = same.Options with { Seed = _run.Seed };
        var microBatches = options.Train.BatchSize / Job.Packing.Batch;
        using var owner = Owner(
            (step, microBatch) => Of(examples.Labels, NumberOf(step, microBatch)),
            key => key is { Phase: Phase.Train, MicroBatch: >= 0 } ? Of(examples.TokenCounts, NumberOf(key.Step, key.MicroBatch)) : null);
        var objects = EncryptedObjects.Of(folder.Root, new ContentStore(folder.Store), inputs.Program, inputs.Keys, Seed);
        var own = context with { Configuration = context.Configuration! with { Run = _run with { Name = options.Name, Train = options.Train, Impl = options.Impl } } };
        var reporting = new RunReporting(own, folder.Root, RunParts.BubbleFormula(_run));
        RunProtocol.Outcome outcome;
        using (reporting)
        {
            outcome = await Run(options, source, objects, new OwnerView(reporting.Observer, owner.Ledger), owner, stop).ConfigureAwait(false);
        }

        var code = reporting.Finish(outcome);
        Report(owner);
        var model = outcome.Export.Length > 0 ? outcome.Export : CheckpointFolder.Latest(folder.Root);
        return (code, code == App.Done && model is not null ? same with { Folder = model } : null);

        int NumberOf(long step, int microBatch) => source.MicroBatchAt((((step - 1) * microBatches) + microBatch) * Job.Packing.Batch);
    }

    /// <summary>The same training in the clear, of which nothing has been done.</summary>
    /// <inheritdoc cref="Train"/>
    public TrainedModel InTheClear(EncryptedDataset train, long steps)
    {
        var source = new EncryptedBatchSource(train, null, _run.Seed, _run.Eval.Shuffle);
        return new TrainedModel("", Options(Budget(source.EpochRows, steps)) with { Seed = Seed }, source);
    }

    /// <summary>Evaluates an encrypted model on an encrypted split.</summary>
    /// <param name="data">Micro-batches.</param>
    /// <param name="states">Unit → file of its encrypted state.</param>
    /// <param name="rows">Rows, without those that fill up the last micro-batch.</param>
    /// <param name="observer">Told what happens.</param>
    /// <returns>Outputs of every row, as the owner decrypts them.</returns>
    /// <exception cref="RefusedException">It did not come to its end.</exception>
    public async Task<IReadOnlyList<float[]>> Evaluate(
        EncryptedDataset data, IReadOnlyDictionary<string, string> states, int rows, Actors.Telemetry.IRunObserver observer, CancellationToken stop)
    {
        using var owner = Owner((_, _) => [], _ => null);
        var objects = EncryptedObjects.Of(folder.Root, new ContentStore(folder.Store), inputs.Program, inputs.Keys, Seed, states);
        var outcome = await Run(Options(Budget(Job.Packing.Batch, 0) with { Budget = 0 }), new EncryptedBatchSource(data, data, 0), objects, observer, owner, stop).ConfigureAwait(false);
        var outputs = owner.Ledger.Evaluated(0);
        return outcome.Kind == OutcomeKind.Completed && outputs.Count == data.Manifest.PaddedRows
            ? [.. outputs.Take(rows)]
            : throw new RefusedException($"The evaluation did not come to its end: {outcome.Message} ({outputs.Count} of {data.Manifest.PaddedRows} rows were seen; {folder.Log} may say more).");
    }

    /// <summary>Of the initial adapters: that of the same fine-tuning in the clear.</summary>
    internal ulong Seed => CounterRandom.Key(_run.Seed, RandomPurpose.FineTuning, (int)Job.Task.Task, 1);

    private RunOptions Options(TrainOptions train) => new()
    {
        Name = $"{Job.Task.Name}-encrypted",
        Folder = folder.Root,
        Seed = _run.Seed,
        Arch = Job.Arch,
        FineTune = Job.Shape,
        Train = train,
        Pipeline = _run.Pipeline,
        Impl = _run.Impl with { MicroBatchSize = Job.Packing.Batch, DigestEvery = 0 },
    };

    private TrainOptions Budget(int rows, long steps)
    {
        var batch = Job.Packing.Batch;
        var recipe = _run.Eval.Recipe(rows);
        if (recipe.BatchSize % batch != 0)
        {
            throw new RefusedException($"eval.batch_size={recipe.BatchSize} must be a multiple of the {batch} rows that are encrypted together (he.batch).");
        }

        return recipe with
        {
            Budget = steps > 0 ? steps : recipe.Budget,
            Clip = 0,
            CheckpointEvery = Math.Max(1, _run.Eval.CheckpointEvery),
        };
    }

    private OwnerService Owner(Func<long, int, IReadOnlyList<float>> labels, Func<RefreshKey, IReadOnlyList<int>?> lengths)
    {
        var (program, recipe) = (inputs.Program, inputs.Program.Recipe);
        var ledger = new OwnerLedger(recipe.Units.ToDictionary(unit => unit, program.Units.Layout), Job.Shape.Outputs, Job.Task.IsRegression, labels);
        var guard = new RangeGuard(program.Plan.Ranges, new RealTokens(program.Packing, program.Plan.Ranges, lengths).Slots);
        return new OwnerService(inputs.Keys, program.Plan, ledger, guard, _run.He.ThreadCount());
    }

    /// <summary>What a list of examples says of a micro-batch.</summary>
    private IReadOnlyList<T> Of<T>(IReadOnlyList<T> examples, int microBatch) => [.. examples.Skip(microBatch * Job.Packing.Batch).Take(Job.Packing.Batch)];

    private async Task<RunProtocol.Outcome> Run(
        RunOptions options, IBatchSource source, IReadOnlyDictionary<string, string> objects, Actors.Telemetry.IRunObserver observer, OwnerService owner, CancellationToken stop)
    {
        var recipe = inputs.Program.Recipe;
        using var contexts = new CkksContexts();
        return await new LocalRun
        {
            Options = options,
            Folder = folder,
            Batches = source,
            Partition = Partition(recipe.Units.Count),
            TokenizerHash = Job.Model.Tokenizer.Hash,
            DataKey = inputs.Keys.Manifest.KeySha256,
            Base = objects,
            Export = (manifest, store) => EncryptedModelFolder.Write(folder.Root, manifest, store, recipe, inputs.Keys.Manifest.KeySha256, inputs.EmbeddingHash),
            Observer = observer,
            Work = new StageWork
            {
                Units = recipe.Units,
                Recipe = RunRecipe.Of(options, Job.Model.Tokenizer.Hash, inputs.Keys.Manifest.KeySha256, cuda: false, bFloat16: false, objects),
                StageRecipe = recipe.ToJson(),
                Computation = store =>
                {
                    var stage = new EncryptedStage(store, contexts, (_, context) => new OwnerRefresher(context, new LocalRefreshChannel(context, owner.Server.Handle)));
                    _stages.Add(stage);
                    return stage;
                },
                Reader = new AnyPayloadReader(new TensorPayloadReader(), new CipherPayloadReader(contexts)),
            },
        }.Execute(stop).ConfigureAwait(false);
    }

    private StagePartition Partition(int units)
    {
        var parts = _run.Pipeline.Stages * _run.Pipeline.Chunks;
        if (parts > units)
        {
            throw new RefusedException($"pipeline.stages={_run.Pipeline.Stages}: an encrypted model has {units} units (its layers and the head; the owner embeds), so at most {units} stages.");
        }

        // The head costs about half a layer.
        return _run.Pipeline.Cut.Count > 0 ? StagePartition.FromCut(_run.Pipeline.Cut, units) : StagePartition.ByCost([.. Enumerable.Repeat(2.0, units - 1), 1.0], parts);
    }

    private void Report(OwnerService owner)
    {
        var status = owner.Status;
        context.Out.WriteLine(string.Create(
            CultureInfo.InvariantCulture,
            $"  refreshes       {status.Lifted:N0} ciphertexts in {status.Requests:N0} requests, {status.Seconds:0.0} s of the owner's time, {status.BytesIn / 1e6:N0} MB to it and {status.BytesOut / 1e6:N0} MB back"));
        var unused = _stages.Select(stage => stage.UnusedKeys.Select(key => key.Element).ToHashSet()).Aggregate((a, b) => [.. a.Intersect(b)]);
        context.Out.WriteLine(unused.Count == 0
            ? $"  keys            all {inputs.Keys.Manifest.Requests.Count} evaluation keys were used"
            : $"  keys            {unused.Count} of {inputs.Keys.Manifest.Requests.Count} evaluation keys were never used: {string.Join(", ", unused.Order())}");
        foreach (var warning in status.Warnings)
        {
            context.Out.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"  out of range    {warning.Site}: {warning.Outside:N0} of {warning.Seen:N0} values outside of [{warning.Low:g4}, {warning.High:g4}], at worst by {warning.Worst:g3}; calibrate with a wider range"));
        }
    }
}

/// <summary>What came of encrypted training.</summary>
/// <param name="Folder">The encrypted model.</param>
/// <param name="Options">The same training in the clear: seed of the initial adapters, steps, learning rates.</param>
/// <param name="Order">Order of its micro-batches.</param>
internal sealed record TrainedModel(string Folder, RunOptions Options, EncryptedBatchSource Order);
