@echo off
rem build.bat under the name that the course sheet gives it.
if exist "%~dp0build.bat" goto found
echo genlab: build.bat is not beside this file, perhaps because this is still inside the zip. 1>&2
echo genlab: Right-click the zip, choose "Extract All", then start again from the new folder. 1>&2
if not defined CI if not defined GENLAB_NO_PAUSE pause
exit /b 1
:found
rem Without "call": the exit code is that of the other file.
"%~dp0build.bat" %*
