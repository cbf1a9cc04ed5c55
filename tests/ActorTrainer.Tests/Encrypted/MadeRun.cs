using System.Collections.Concurrent;
using ActorTrainer.Actors;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.DataPlane.Peers;
using ActorTrainer.Actors.Encrypted;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Optimisation;
using ActorTrainer.Model.Stages;
using Akka.Configuration;

namespace ActorTrainer.Tests.Encrypted;

/// <summary>Encrypted fine-tuning of a made task through coordinator, stages, data plane, journal and checkpoints, all in this process.</summary>
internal sealed record MadeRun(MadeOwner Owner, RunFolder Folder, int Stages, int Steps)
{
    /// <summary>Whether messages and payloads go through their wire formats.</summary>
    public bool Wire { get; init; } = true;

    public IRunObserver Observer { get; init; } = new Actors.RecordingObserver();

    /// <summary>Answers connections to the owner.</summary>
    public Action<PeerConnection> Handler { get; init; } = Owner.Server.Handle;

    /// <summary>Goes around what reads payloads.</summary>
    public Func<IPayloadReader, IPayloadReader> Reading { get; init; } = reader => reader;

    /// <summary>Goes into the recipe: see <see cref="EncryptedRecipe.Keys"/>.</summary>
    public EncryptedPlan? Plan { get; init; }

    /// <summary>The stages that were made, each as it is.</summary>
    public ConcurrentBag<EncryptedStage> Made { get; } = [];

    /// <summary>Before the run's own.</summary>
    public Config Settings { get; init; } = Config.Empty;

    /// <param name="saved">Told the objects of a finished run by unit.</param>
    public async Task<RunProtocol.Outcome> Execute(Action<IReadOnlyDictionary<string, string>> saved)
    {
        using var contexts = new CkksContexts(Owner.Context);
        var recipe = Owner.Recipe with { Keys = (Plan?.Units ?? []).ToDictionary(unit => unit.Name, unit => unit.Keys) };
        return await new LocalRun
        {
            Options = new RunOptions
            {
                Name = "made",
                Folder = Folder.Root,
                Arch = recipe.Arch,
                FineTune = recipe.Shape,
                Train = new TrainOptions
                {
                    Optim = recipe.Optim with { LearningRate = MadeTask.LearningRate },
                    Budget = Steps,
                    Schedule = LearningRateSchedule.Constant,
                    BatchSize = recipe.Batch,
                    BatchRamp = 0,
                    WarmUp = 0,
                    CheckpointEvery = 1,
                    EvaluateEvery = 0,
                    EvaluateBlocks = int.MaxValue,
                },
                Pipeline = new PipelineOptions { Stages = Stages },
                Impl = new ImplOptions { MicroBatchSize = recipe.Batch, SerializeMessages = Wire },
            },
            Folder = Folder,
            Batches = Owner.Batches(),
            Partition = StagePartition.ByCount(recipe.Units.Count, Stages),
            TokenizerHash = "none",
            DataKey = "made",
            Base = Owner.Objects(new ContentStore(Folder.Store)),
            Export = (manifest, _) =>
            {
                saved(manifest.Units);
                return Folder.Root;
            },
            Observer = Observer,
            Settings = Settings,
            Work = new StageWork
            {
                Units = recipe.Units,
                Recipe = "made",
                StageRecipe = recipe.ToJson(),
                Computation = objects =>
                {
                    var stage = new EncryptedStage(objects, contexts, (_, context) => new OwnerRefresher(context, new LocalRefreshChannel(context, Handler)));
                    Made.Add(stage);
                    return stage;
                },
                Reader = Reading(new AnyPayloadReader(new TensorPayloadReader(), new CipherPayloadReader(contexts))),
            },
        }.Execute(CancellationToken.None);
    }
}
