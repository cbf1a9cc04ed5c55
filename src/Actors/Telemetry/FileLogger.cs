using Akka.Actor;
using Akka.Event;

namespace ActorTrainer.Actors.Telemetry;

/// <summary>Writes the actor system's log to the file named by <c>actortrainer.log-file</c>, so that it does not run through the live view.</summary>
public sealed class FileLogger : ReceiveActor
{
    private readonly StreamWriter _file;

    /// <summary>Opens the file for appending.</summary>
    public FileLogger()
    {
        var path = Context.System.Settings.Config.GetString("actortrainer.log-file");
        Directory.CreateDirectory(Path.GetDirectoryName(Path.GetFullPath(path))!);
        _file = new StreamWriter(new FileStream(path, FileMode.Append, FileAccess.Write, FileShare.ReadWrite)) { AutoFlush = true };
        Receive<InitializeLogger>(_ => Sender.Tell(new LoggerInitialized()));
        Receive<LogEvent>(e => _file.WriteLine(e.ToString()));
    }

    /// <inheritdoc/>
    protected override void PostStop() => _file.Dispose();
}
