using Nacelle.Specs;

namespace Nacelle.Oci;

static class ListCommand
{
    public static readonly Command Definition = new(
        "list", "[OPTIONS]", "list the containers",
        [new("format|f", "table|json", "how (default: table)"), new("quiet|q", null, "only their ids")], Run);

    static int Run(GlobalOptions globals, Arguments arguments)
    {
        var format = "table";
        bool quiet = false;
        arguments.TakeOptions(Definition.Options, (name, value) =>
        {
            format = name == "format" ? value : format;
            quiet |= name == "quiet";
        });
        arguments.End();
        var containers = new ContainerStore(globals.Root).All();
        if (quiet)
        {
            foreach (var container in containers)
            {
                Output.Line(container.Id);
            }
        }
        else if (format == "json")
        {
            Output.Line($"[{string.Join(',', containers.Select(container => System.Text.Encoding.UTF8.GetString(ContainerView.ToJson(container))))}]");
        }
        else if (format == "table")
        {
            List<string[]> rows = [["ID", "PID", "STATUS", "BUNDLE", "CREATED", "OWNER"]];
            foreach (var container in containers)
            {
                var status = container.Status;
                rows.Add([container.Id, status == RuntimeStatus.Stopped ? "0" : $"{container.Record.Pid}", status, container.Record.Bundle, ContainerView.Created(container), $"#{container.Record.Owner}"]);
            }

            Output.Table(rows);
        }
        else
        {
            throw new UserException($"--format is table or json, not '{format}'");
        }

        return 0;
    }
}
