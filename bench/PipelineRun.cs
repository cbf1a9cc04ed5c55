using ActorTrainer.Actors;
using ActorTrainer.Actors.Protocol;
using ActorTrainer.Actors.Schedules;
using ActorTrainer.Actors.Telemetry;
using ActorTrainer.Model.Bert;
using ActorTrainer.Model.Stages;

namespace ActorTrainer.Bench;

/// <summary>A whole run as <c>pretrain</c> does it, journal and final checkpoint included, in a folder that is removed afterwards.</summary>
public sealed record PipelineRun
{
    public required Workload Work { get; init; }

    /// <summary>Units per part.</summary>
    public required IReadOnlyList<int> Cut { get; init; }

    public ScheduleKind Schedule { get; init; } = ScheduleKind.OneForwardOneBackward;

    /// <summary>Parts per stage.</summary>
    public int Chunks { get; init; } = 1;

    /// <summary>Steps between digests, 0 = none.</summary>
    public int DigestEvery { get; init; }

    /// <summary>Whether the stages report the time of every instruction.</summary>
    public bool Spans { get; init; }

    /// <summary>Runs all steps of the budget.</summary>
    /// <exception cref="InvalidOperationException">The run did not complete.</exception>
    public async Task Execute(IRunObserver observer)
    {
        var temporary = Directory.CreateTempSubdirectory("actortrainer-bench-");
        try
        {
            using var folder = RunFolder.Open(temporary.FullName);
            var outcome = await new LocalRun
            {
                Options = Options(temporary.FullName),
                Folder = folder,
                Batches = Work.Batches(),
                Partition = StagePartition.FromCut(Cut, UnitFactory.Count(Work.Arch)),
                TokenizerHash = "none",
                DataKey = "synthetic",
                Export = (_, _) => temporary.FullName,
                Observer = observer,
            }.Execute(CancellationToken.None).ConfigureAwait(false);
            if (outcome.Kind != OutcomeKind.Completed)
            {
                throw new InvalidOperationException($"The run ended early: {outcome.Message}");
            }
        }
        finally
        {
            temporary.Delete(recursive: true);
        }
    }

    private RunOptions Options(string folder) => new()
    {
        Name = "bench",
        Folder = folder,
        Seed = Work.Seed,
        Arch = Work.Arch,
        Train = Work.Train,
        Pipeline = new PipelineOptions { Stages = Cut.Count / Chunks, Schedule = Schedule, Chunks = Chunks, Cut = Cut },
        Impl = new ImplOptions
        {
            Device = DeviceKind.Cpu,
            MicroBatchSize = Work.MicroBatch,
            Threads = 1,
            DigestEvery = DigestEvery,
            TraceSteps = Spans ? int.MaxValue : 0,
        },
    };
}
