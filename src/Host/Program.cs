using System.Runtime.InteropServices;
using System.Security.Cryptography;
using ActorTrainer.Host.Chaos;
using ActorTrainer.Host.Cli;
using ActorTrainer.Host.Cluster;
using ActorTrainer.Host.Cluster.Local;
using ActorTrainer.Host.Commands;
using ActorTrainer.Host.Encrypted;
using ActorTrainer.Host.Encrypted.Planning;
using ActorTrainer.Host.FineTuning;

namespace ActorTrainer.Host;

/// <summary>Entry of <c>actortrainer</c>.</summary>
public static class Program
{
    private static readonly KeyGenCommand KeyGen = new(EncryptedProgram.PlanOf, TimeProvider.System);

    private static readonly EncryptCommand Encrypt = new(
        job => EncryptedProgram.PlanOf(job).Levels, () => BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))), TimeProvider.System);

    /// <summary>The commands, in the order of the help.</summary>
    public static CommandTable Commands { get; } = new(
    [
        new DelegateCommand(CommandDescriptions.Dev, (context, stop) => PretrainCommand.Dev(context, new EncryptedDemo(KeyGen, Encrypt).Run, stop)),
        new DelegateCommand(CommandDescriptions.Pretrain, PretrainCommand.Pretrain),
        new DelegateCommand(FineTuneDescriptions.FineTune, FineTuneCommand.Run),
        new DelegateCommand(FineTuneDescriptions.Evaluate, EvaluateCommand.Run),
        new DelegateCommand(FineTuneDescriptions.Export, ExportCommand.Run),
        new DelegateCommand(EncryptedDescriptions.KeyGen, KeyGen.Run),
        new DelegateCommand(EncryptedDescriptions.Encrypt, Encrypt.Run),
        new DelegateCommand(EncryptedDescriptions.FineTune, EncryptedFineTuneCommand.Run),
        new DelegateCommand(EncryptedDescriptions.Helper, HelperCommand.Run),
        new DelegateCommand(EncryptedDescriptions.Evaluate, EncryptedEvaluateCommand.Run),
        new DelegateCommand(EncryptedDescriptions.Decrypt, DecryptCommand.Run),
        new DelegateCommand(PlanDescription.Plan, new PlanCommand((parameters, threads) => PlanCosts.Measure(parameters, threads, TimeProvider.System), TimeProvider.System).Run),
        new DelegateCommand(CommandDescriptions.CompareRuns, CompareRunsCommand.Run),
        new DelegateCommand(ResultsCommand.Description, ResultsCommand.Run),
        new DelegateCommand(CommandDescriptions.Tokenizer, TokenizerCommand.Run),
        new DelegateCommand(ClusterCommandDescriptions.Node, NodeCommand.Run),
        new DelegateCommand(ClusterCommandDescriptions.Status, StatusCommand.Run),
        new DelegateCommand(ClusterCommandDescriptions.Stop, StopCommand.Run),
        new DelegateCommand(ClusterUpCommand.Description, ClusterUpCommand.Run),
        new DelegateCommand(CertificatesCommand.Description, CertificatesCommand.Run),
        new DelegateCommand(ChaosCommand.Description, ChaosCommand.Run),
        new ConfigCommand(),
        new VersionCommand(),
    ]);

    /// <summary>Runs the command that the words name. The first Ctrl-C asks it to end well, the second ends it at once.</summary>
    public static async Task<int> Main(string[] args)
    {
        using var interrupt = new CancellationTokenSource();
        void Stop(PosixSignalContext signal)
        {
            if (interrupt.IsCancellationRequested)
            {
                return;
            }

            signal.Cancel = true;
            Console.Error.WriteLine("actortrainer: stopping; once more to end at once.");
            interrupt.Cancel();
        }

        using var ctrlC = PosixSignalRegistration.Create(PosixSignal.SIGINT, Stop);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Stop);
        return await App.Run(args, Commands, Console.Out, Console.Error, interrupt.Token);
    }
}
