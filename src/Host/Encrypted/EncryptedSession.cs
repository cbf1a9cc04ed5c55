using System.Collections.Concurrent;
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
        if (_run.He.Helpers.Count > 0)
        {
            throw new RefusedException("he.helpers is for the stages of a cluster, which reach helpers over its data plane: give cluster.seeds too, or leave he.helpers out.");
        }

        var same = InTheClear(train, steps);
        var source = same.Order;
        var options = same.Options with { Seed = _run.Seed };
        if (inputs.Program.Refreshing.Bootstraps)
        {
            inputs.Program.Bind(TwinSteps.Bounds(inputs, same, examples));
        }

        using var owner = OwnerOfRun.Of(inputs, source, examples, options.Train.BatchSize / Job.Packing.Batch);
        var objects = EncryptedObjects.Of(folder.Root, new ContentStore(folder.Store), inputs.Program, inputs.Keys, Seed);
        var own = context with { Configuration = context.Configuration! with { Run = _run with { Name = options.Name, Train = options.Train, Impl = options.Impl } } };
        var reporting = new RunReporting(own, folder.Root, RunParts.BubbleFormula(own.Run));
        RunProtocol.Outcome outcome;
        using (reporting)
        {
            outcome = await Run(options, source, objects, new OwnerView(reporting.Observer, owner.Ledger), owner, stop).ConfigureAwait(false);
        }

        var code = reporting.Finish(outcome);
        Report(owner);
        var model = outcome.Export.Length > 0 ? outcome.Export : CheckpointFolder.Latest(folder.Root);
        return (code, code == App.Done && model is not null ? same with { Folder = model } : null);
    }

    /// <summary>The same training in the clear, of which nothing has been done.</summary>
    /// <inheritdoc cref="Train"/>
    public TrainedModel InTheClear(EncryptedDataset train, long steps)
    {
        var source = new EncryptedBatchSource(train, null, _run.Seed, _run.Eval.Shuffle);
        return new TrainedModel("", Options(EncryptedTraining.Train(Job, source.EpochRows, steps)) with { Seed = Seed }, source);
    }

    /// <summary>Evaluates an encrypted model on an encrypted split.</summary>
    /// <param name="data">Micro-batches.</param>
    /// <param name="states">Unit → file of its encrypted state.</param>
    /// <param name="rows">Rows, without those that fill up the last micro-batch.</param>
    /// <param name="observer">Told what happens.</param>
    /// <param name="progress">Told how many micro-batches are done.</param>
    /// <returns>Outputs of every row, as the owner decrypts them.</returns>
    /// <exception cref="RefusedException">It did not come to its end.</exception>
    public async Task<IReadOnlyList<float[]>> Evaluate(
        EncryptedDataset data, IReadOnlyDictionary<string, string> states, int rows, Actors.Telemetry.IRunObserver observer, Action<int> progress, CancellationToken stop)
    {
        using var owner = OwnerOfRun.OfEvaluation(inputs);
        owner.Ledger.OnEvaluated = progress;
        var objects = EncryptedObjects.Of(folder.Root, new ContentStore(folder.Store), inputs.Program, inputs.Keys, Seed, states);
        var outcome = await Run(Options(EncryptedTraining.Train(Job, Job.Packing.Batch, 0) with { Budget = 0 }), new EncryptedBatchSource(data, data, 0), objects, observer, owner, stop).ConfigureAwait(false);
        var outputs = owner.Ledger.Evaluated(0);
        return outcome.Kind == OutcomeKind.Completed && outputs.Count == data.Manifest.PaddedRows
            ? [.. outputs.Take(rows)]
            : throw new RefusedException($"The evaluation did not come to its end: {outcome.Message} ({outputs.Count} of {data.Manifest.PaddedRows} rows were seen; {folder.Log} may say more).");
    }

    private ulong Seed => EncryptedTraining.Seed(Job);

    private RunOptions Options(TrainOptions train) => EncryptedTraining.Options(Job, $"{Job.Task.Name}-encrypted", folder.Root, train);

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
            Partition = EncryptedCut.Of(_run.Pipeline, recipe.Units.Count),
            TokenizerHash = Job.Model.Tokenizer.Hash,
            DataKey = inputs.Keys.Manifest.KeySha256,
            Base = objects,
            Export = (manifest, store) => EncryptedModelFolder.Write(folder.Root, manifest, store, recipe, inputs.Keys.Manifest.KeySha256, inputs.EmbeddingHash),
            Observer = observer,
            Work = new StageWork
            {
                Units = recipe.Units,
                Recipe = RunRecipe.Of(options, Job.Model.Tokenizer.Hash, inputs.Keys.Manifest.KeySha256, cuda: false, bFloat16: false, objects),
                StageRecipe = inputs.Program.StageRecipe.ToJson(),
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

    private void Report(OwnerService owner)
    {
        OwnerReport.WriteRefreshes(context.Out, owner.Status);
        if (_stages.IsEmpty)
        {
            // The run was complete before.
            return;
        }

        // Each stage holds the keys of its own units: one is unused where no stage that has it used it, or where none has it.
        var used = _stages.SelectMany(stage => stage.UsedKeys).Select(key => key.Element).ToHashSet();
        int[] unused = [.. inputs.Keys.Manifest.Requests.Select(key => key.Element).Where(element => !used.Contains(element))];
        context.Out.WriteLine(unused.Length == 0
            ? $"  keys            all {inputs.Keys.Manifest.Requests.Count} evaluation keys were used"
            : $"  keys            {unused.Length} of {inputs.Keys.Manifest.Requests.Count} evaluation keys were never used: {string.Join(", ", unused.Order())}");
        OwnerReport.WriteWarnings(context.Out, owner.Status);
        StepTables.WriteLevels(context.Out, inputs.Program.Plan);
        StepTables.WriteStages(context.Out, folder.Root);
    }
}

/// <summary>What came of encrypted training.</summary>
/// <param name="Folder">The encrypted model.</param>
/// <param name="Options">The same training in the clear: seed of the initial adapters, steps, learning rates.</param>
/// <param name="Order">Order of its micro-batches.</param>
internal sealed record TrainedModel(string Folder, RunOptions Options, EncryptedBatchSource Order);
