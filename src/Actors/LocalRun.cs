using ActorTrainer.Actors.Coordination;
using ActorTrainer.Actors.Crew;
using ActorTrainer.Actors.DataPlane;
using ActorTrainer.Actors.Objects;
using ActorTrainer.Actors.Persistence;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Stages;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Checkpoints;
using ActorTrainer.Model.Stages;
using Akka.Actor;
using Akka.Configuration;

namespace ActorTrainer.Actors;

/// <summary>A run whose coordinator and stages live in this process.</summary>
public sealed record LocalRun
{
    private const string SystemName = "actortrainer";

    /// <summary>The run.</summary>
    public required RunOptions Options { get; init; }

    /// <summary>Folder of the run, held by the caller.</summary>
    public required RunFolder Folder { get; init; }

    public required IBatchSource Batches { get; init; }

    /// <summary>How the model is cut.</summary>
    public required StagePartition Partition { get; init; }

    /// <summary>Hash of the tokenizer, for the manifest and the recipe.</summary>
    public required string TokenizerHash { get; init; }

    /// <summary>Key of the prepared data, for the manifest and the recipe.</summary>
    public required string DataKey { get; init; }

    /// <summary>Writes the model folder of a checkpoint and returns its path.</summary>
    public required Func<CheckpointManifest, ContentStore, string> Export { get; init; }

    public required IRunObserver Observer { get; init; }

    /// <summary>Unit name → hash of its pre-trained weights in the run folder's store; empty: units begin with initial weights.</summary>
    public IReadOnlyDictionary<string, string> Base { get; init; } = new Dictionary<string, string>();

    /// <summary>Told of every checkpoint; see <see cref="RunServices.Committed"/>.</summary>
    public Action<long, IReadOnlyDictionary<string, string>>? Committed { get; init; }

    /// <summary>What the stages compute; null: the model of the options on tensors.</summary>
    public StageWork? Work { get; init; }

    /// <summary>True: compute on the CUDA device.</summary>
    public bool Cuda { get; init; }

    /// <summary>True: matrix products in bfloat16.</summary>
    public bool BFloat16 { get; init; }

    /// <summary>Settings of the actor system that come before the run's own.</summary>
    public Config Settings { get; init; } = Config.Empty;

    public TimeProvider Time { get; init; } = TimeProvider.System;

    /// <summary>
    /// Runs to the end, or until <paramref name="stop"/> asks for a stop: then the step under way is finished and committed.
    /// </summary>
    /// <returns>How the run ended.</returns>
    public async Task<RunProtocol.Outcome> Execute(CancellationToken stop)
    {
        var store = new ContentStore(Folder.Store);
        var clock = new RunClock(Time);
        var work = Work ?? StageWork.OnTensors(Options, RunRecipe.Of(Options, TokenizerHash, DataKey, Cuda, BFloat16, Base), Cuda, BFloat16);
        var plane = new LocalDataPlane(Options.Impl.SerializeMessages ? work.Reader : null);
        var stageSettings = new StageSettings(plane, SharedObjects.Instance, clock);
        Func<int, Props> stageProps = stage => Props.Create(() => new StageActor(stageSettings, work.Computation(store), $"stage-{stage}"));
        IReadOnlyList<int> partSizes = [.. Partition.Parts.Select(part => part.Count)];
        var services = new RunServices
        {
            Options = Options,
            Units = work.Units,
            Recipe = work.Recipe,
            StageRecipe = work.StageRecipe,
            Base = Base,
            Tied = work.Tied,
            Committed = Committed,
            Plane = plane,
            Crew = Props.Create(() => new LocalCrew(stageProps, partSizes, Options.Pipeline.Stages)),
            Batches = Batches,
            Checkpoints = new FileCheckpoints(store, Describe, manifest => Export(manifest, store), Options.Impl.KeepCheckpoints),
            Observer = Observer,
            Clock = clock,
        };

        using var system = ActorSystem.Create(SystemName, Settings.WithFallback(Configure(Folder, Options.Impl.SerializeMessages)));
        var coordinator = system.ActorOf(Props.Create(() => new RunCoordinator(services)), "coordinator");
        using var registration = stop.Register(() => coordinator.Tell(new RunProtocol.Stop(), ActorRefs.NoSender));
        var ended = coordinator.WatchAsync();
        var asked = coordinator.Ask<RunProtocol.Outcome>(new RunProtocol.Start(), Timeout.InfiniteTimeSpan, CancellationToken.None);
        await Task.WhenAny(asked, ended).ConfigureAwait(false);
        var outcome = asked.IsCompleted
            ? await asked.ConfigureAwait(false)
            : new RunProtocol.Outcome(OutcomeKind.Failed, 0, $"the coordinator ended unexpectedly; {Folder.Log} says why, and the same command goes on from the last checkpoint", "");
        await coordinator.GracefulStop(TimeSpan.FromSeconds(30)).ConfigureAwait(false);
        await system.Terminate().ConfigureAwait(false);
        return outcome;
    }

    private static Config Configure(RunFolder folder, bool serializeMessages) => ConfigurationFactory.ParseString(
        $$"""
        akka {
          loglevel = WARNING
          stdout-loglevel = OFF
          loggers = ["ActorTrainer.Actors.Telemetry.FileLogger, ActorTrainer.Actors"]
          log-dead-letters = off
          actor.guardian-supervisor-strategy = "Akka.Actor.StoppingSupervisorStrategy"
          actor.serialize-messages = {{(serializeMessages ? "on" : "off")}}
        }
        actortrainer.log-file = "{{folder.Log.Replace("\\", "\\\\", StringComparison.Ordinal)}}"
        """)
        .WithFallback(SqliteJournal.Open(folder.Journal))
        .WithFallback(WireSerializer.Config);

    private CheckpointManifest Describe(RunPosition position, IReadOnlyDictionary<string, string> objects) =>
        RunManifest.Of(Options, Batches.TokensPerSequence, TokenizerHash, DataKey, position, objects);
}
