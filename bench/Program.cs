using ActorTrainer.Bench;
using ActorTrainer.Model.Common;

try
{
    switch (args.FirstOrDefault())
    {
        case "pipeline":
            await SpeedBench.Run(new Arguments(args[1..], "shapes", "rounds", "warmup", "steps"));
            return 0;
        case "measure":
            await SpeedBench.Measure(new Arguments(args[1..], "trainer", "shape", "threads", "cut", "warmup", "steps"));
            return 0;
        case "bubble":
            await BubbleBench.Run(new Arguments(args[1..], "warmup", "steps", "rows"));
            return 0;
        case "leak":
            await LeakBench.Run(new Arguments(args[1..], "steps", "every", "out"));
            return 0;
        case "export":
            ExportBench.Run(new Arguments(args[1..], "gigabytes", "out"));
            return 0;
        case "he":
            HeBench.Run(new Arguments(args[1..], "set", "rounds", "threads", "peer"));
            return 0;
        case "layer":
            EncryptedLayerBench.Run(new Arguments(args[1..], "part", "set", "refresh", "tokens", "batch", "heads", "width", "inner", "threads", "cache", "rounds"));
            return 0;
        case "bootstrap":
            BootstrapBench.Run(new Arguments(args[1..], "set", "slots", "threads", "babysteps", "cache", "rounds", "by"));
            return 0;
        case "dataplane":
            await DataPlaneBench.Run(new Arguments(args[1..], "rounds", "seconds"));
            return 0;
        case "dataplane-peer":
            DataPlanePeer.Run();
            return 0;
        default:
            Console.Error.WriteLine(
                """
                Measures ActorTrainer; see bench/README.md.
                  pipeline [shapes=deep,narrow,small] [rounds=5] [warmup=2] [steps=4]   speed and memory against a plain loop
                  bubble   [warmup=2] [steps=7] [rows=8]                                idle time against the formula
                  leak     [steps=10000] [every=100] [out=FOLDER]                       memory over many steps
                  export   [gigabytes=10] [out=FOLDER]                          memory and speed of exported fine-tuning data
                  he       [set=L15] [rounds=9] [threads=2] [peer=PROGRAM]               encrypted arithmetic
                  layer    [set=L15] [tokens=16] [batch=16] [heads=4] [width=16]        an encrypted layer beside its plan
                  bootstrap [set=B16] [threads=1] [babysteps=6] [cache=2048] [rounds=2] [by=step|operation]  bootstrapping: time by step, precision, memory
                  dataplane [rounds=7] [seconds=5]                                      payloads between processes against a plain socket
                """);
            return 2;
    }
}
catch (RefusedException e)
{
    Console.Error.WriteLine(e.Message);
    return 2;
}
